"""Logs a run of its own into a project of trackio, or prints what trackio reads of a project, as JSON."""

import json
import sys

from trackio.sqlite_storage import SQLiteStorage

action, project = sys.argv[1:]
if action == "log":
    import trackio

    trackio.init(project=project, name="of-python", config={"rank": 8})
    trackio.log({"train/loss": 0.5}, step=1)
    trackio.finish()
    sys.exit()

SQLiteStorage.migrate_all_projects()
runs = []
for record in SQLiteStorage.get_run_records(project):
    logs = SQLiteStorage.get_logs(project, record["name"], run_id=record["id"])
    config = SQLiteStorage.get_run_config(project, record["name"], run_id=record["id"])
    alerts = SQLiteStorage.get_alerts(project, run_name=record["name"])
    logs = [{key: value for key, value in log.items() if key != "timestamp"} for log in logs]
    runs.append({"name": record["name"], "logs": logs, "config": config, "alerts": [alert["level"] for alert in alerts]})
json.dump(runs, sys.stdout, default=str)

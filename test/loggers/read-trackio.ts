import { DatabaseSync } from '@photostructure/sqlite';
import type { TrackedRun } from './tracked-run.js';

interface Row {
  readonly run_id: string;
  readonly step: number;
  readonly metrics: string;
  readonly config: string;
  readonly level: string;
}

/** The runs in a file of trackio. */
export async function readTrackio(path: string): Promise<TrackedRun[]> {
  const db = new DatabaseSync(path, { readOnly: true });
  const all = (table: string) => db.prepare(`SELECT * FROM ${table} ORDER BY id`).all() as unknown as Row[];
  const [metrics, configs, alerts] = [all('metrics'), all('configs'), all('alerts')];
  db.close();
  return configs.map(({ run_id, config }) => {
    const rows = metrics.filter((row) => row.run_id === run_id);
    const points = rows.map(({ step, metrics }) => [step, JSON.parse(metrics)] as const);
    return {
      scalars: (name) => points.flatMap(([step, row]) => (name in row ? [[step, Number(row[name])]] : [])),
      settings: JSON.parse(config),
      end: alerts.find((alert) => alert.run_id === run_id)?.level,
    };
  });
}

"""Prints what TensorBoard reads in a folder of logs, as JSON: scalars, images, histograms, and the HParams tab's data."""

import json
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import metadata

events = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "images": 0, "histograms": 0})
events.Reload()
tags = events.Tags()


def number(value):
    return None if value != value else value


def plugin(tag, parse):
    content = events.SummaryMetadata(tag).plugin_data.content
    return parse(content)


start = plugin(metadata.SESSION_START_INFO_TAG, metadata.parse_session_start_info_plugin_data)
end = plugin(metadata.SESSION_END_INFO_TAG, metadata.parse_session_end_info_plugin_data)
experiment = plugin(metadata.EXPERIMENT_TAG, metadata.parse_experiment_plugin_data)
hparams = {}
for name, value in start.hparams.items():
    hparams[name] = getattr(value, value.WhichOneof("kind"))

json.dump(
    {
        "scalars": {
            tag: [[event.step, number(event.value)] for event in events.Scalars(tag)] for tag in tags["scalars"]
        },
        "images": {
            tag: [[event.step, event.width, event.height, len(event.encoded_image_string)] for event in events.Images(tag)]
            for tag in tags["images"]
        },
        "histograms": {
            tag: [
                [
                    event.step,
                    event.histogram_value.min,
                    event.histogram_value.max,
                    event.histogram_value.num,
                    list(event.histogram_value.bucket_limit),
                    list(event.histogram_value.bucket),
                ]
                for event in events.Histograms(tag)
            ]
            for tag in tags["histograms"]
        },
        "hparams": hparams,
        "group": start.group_name,
        "status": end.status,
        "metrics": [info.name.tag for info in experiment.metric_infos],
    },
    sys.stdout,
)

"""The records of an offline run as wandb's own reader finds them, as JSON. wandb 0.19, whose reader is in Python."""
import json
import sys

import wandb
from wandb.proto import wandb_internal_pb2 as pb
from wandb.sdk.internal.datastore import DataStore

wandb._set_internal_process(disable=True)
wandb._assert_is_internal_process = True
store = DataStore()
store.open_for_scan(sys.argv[1])


def value(items):
    return {(item.key or item.nested_key[0]): json.loads(item.value_json) for item in items}


found = {"kinds": [], "history": []}
while (data := store.scan_data()) is not None:
    record = pb.Record()
    record.ParseFromString(data)
    kind = record.WhichOneof("record_type")
    found["kinds"].append(kind)
    if kind == "run":
        found["run"] = {"id": record.run.run_id, "project": record.run.project, "config": value(record.run.config.update)}
    elif kind == "history":
        found["history"].append([record.history.step.num, value(record.history.item)])
    elif kind == "summary":
        found["summary"] = value(record.summary.update)
    elif kind == "exit":
        found["exit"] = record.exit.exit_code
print(json.dumps(found))

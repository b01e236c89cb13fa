"""Runs of an experiment as MLflow's own client finds them on the server of MLFLOW_TRACKING_URI, as JSON."""
import json
import sys

from mlflow import MlflowClient

client = MlflowClient()
found = []
for run in client.search_runs([client.get_experiment_by_name(sys.argv[1]).experiment_id]):
    history = {key: [[m.step, m.value] for m in client.get_metric_history(run.info.run_id, key)] for key in run.data.metrics}
    found.append({"name": run.info.run_name, "status": run.info.status, "params": run.data.params, "metrics": history})
print(json.dumps(found))

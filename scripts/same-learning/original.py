"""Losses of the original AtmoRep on batches and weights that were written here; compare.ts calls it.

  ATMOREP_SRC=<checkout of the original> python original.py FOLDER [--moved]

FOLDER holds config.json, weights.safetensors and batches/00000.safetensors, ... in the order of training. Network, losses,
learning rates and the settings of AdamW are the original's; its loader, which would draw batches of its own, its files and its
services are left out. `--moved` adds one rounding step to one weight before the first step. Prints one JSON line a step: {"total", "mse", "terms": {loss: [field, ...]}, "lr"}.
"""
import contextlib, io, json, os, sys
from pathlib import Path
from unittest.mock import MagicMock

import numpy as np
import torch

# imported by the original, not called here
UNUSED = ["wandb", "torchinfo", "atmorep.datasets.multifield_data_sampler"]

TYPES = {"F32": np.float32, "I32": np.int32}


def read_safetensors(path):
    data = Path(path).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + at for at in entry["data_offsets"])
        values = np.frombuffer(data[begin:end], TYPES[entry["dtype"]]).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.copy())
    return tensors


def import_original(results):
    """Without a GPU, the loader and the logging service, writing below `results`."""
    for name in UNUSED:
        sys.modules[name] = MagicMock()
    torch.Tensor.get_device = lambda self: self.device
    torch.Tensor.cuda = lambda self, *args, **kwargs: self
    sys.path.insert(0, os.environ["ATMOREP_SRC"])
    import atmorep.config.config as paths
    import atmorep.transformer.axial_attention as axial

    paths.path_results, paths.path_models = Path(results, "results"), Path(results, "models")
    # the callers of the axial attention expect its maps beside the output
    forward = axial.MultiFieldAxialAttention.forward
    axial.MultiFieldAxialAttention.forward = lambda self, *args: (forward(self, *args), [])
    from atmorep.core.atmorep_model import AtmoRep
    from atmorep.core.trainer import Trainer_BERT
    from atmorep.utils.utils import Config

    return AtmoRep, Trainer_BERT, Config


def main(folder, moved):
    AtmoRep, Trainer, Config = import_original(folder)
    cf = Config()
    cf.__dict__.update(json.loads(Path(folder, "config.json").read_text()))
    with contextlib.redirect_stdout(io.StringIO()):
        trainer = Trainer(cf, ["cpu"])
        net = AtmoRep(cf).create(["cpu"])
    net.encoder_to_decoder, net.decoder_to_tail = trainer.encoder_to_decoder, trainer.decoder_to_tail
    net.load_state_dict(read_safetensors(Path(folder, "weights.safetensors")), strict=True)
    if moved:
        with torch.no_grad():
            weight = net.encoders[0].embed.weight
            weight[0, 0] = torch.nextafter(weight[0, 0], torch.tensor(torch.inf))
    net.train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=cf.lr_start, weight_decay=cf.weight_decay)
    rates = trainer.get_learn_rates()
    steps_per_epoch = cf.num_samples_per_epoch // cf.batch_size

    for step, path in enumerate(sorted(Path(folder, "batches").iterdir())):
        tensors = read_safetensors(path)
        for group in optimizer.param_groups:
            group["lr"] = rates[step // steps_per_epoch]
        predictions, _ = net(prepare(trainer, cf, tensors))
        total, mse, terms = trainer.loss(predictions, step)
        total.backward()
        optimizer.step()
        optimizer.zero_grad()
        line = {"total": float(total), "mse": float(mse), "lr": float(optimizer.param_groups[0]["lr"])}
        line["terms"] = {name: [float(value) for value in values] for name, values in terms.items()}
        print(json.dumps(line), flush=True)


def prepare(trainer, cf, tensors):
    """The batch as the original's trainer takes it from its loader: hidden tokens by field, level and sample."""
    fields = range(len(cf.fields))
    hidden = [[[tensors[f"idx.{f}.{l}"].long()] for l in range(len(cf.fields[f][2]))] for f in fields]
    targets = [tensors.get(f"target.{f}") for f in fields]
    batch = ([tensors[f"tokens.{f}"] for f in fields], [tensors[f"infos.{f}"] for f in fields], targets, hidden, [])
    return trainer.prepare_batch((batch, None, (None, None), None))


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    main(sys.argv[1], "--moved" in sys.argv)

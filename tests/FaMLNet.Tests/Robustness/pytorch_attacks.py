"""FGSM and PGD in plain PyTorch on a LeNet handed over as safetensors: what the library's attacks are held to and timed against.

Usage: pytorch_attacks.py <folder> <threads> <double|single>
The folder holds weights.safetensors, images.f32 (rows x 784), labels.i32, and settings.json: {"epsilon", "steps", "step", "batch"}.
Writes fgsm.f32, gradients.f32 (at the clean images) and answers with JSON on the last line: accuracies and seconds.
"""
import json
import struct
import sys
import time

try:
    import numpy as np
    import torch
    from torch.nn import functional as F
except ImportError as missing:
    print("missing", missing)
    sys.exit(3)

folder, precision = sys.argv[1], torch.float64 if sys.argv[3] == "double" else torch.float32
torch.set_num_threads(int(sys.argv[2]))
torch.manual_seed(1)


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    return {name: torch.from_numpy(np.frombuffer(data[slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"]).copy()).to(precision)
            for name, entry in header.items() if name != "__metadata__"}


weights = read_safetensors(folder + "/weights.safetensors")
images = torch.from_numpy(np.fromfile(folder + "/images.f32", "<f4").reshape(-1, 1, 28, 28)).to(precision)
labels = torch.from_numpy(np.fromfile(folder + "/labels.i32", "<i4").astype("i8"))
with open(folder + "/settings.json") as file:
    settings = json.load(file)
epsilon, batch = settings["epsilon"], settings["batch"]


def network(x):
    x = (F.pad(x, (2, 2, 2, 2)) - weights["input.mean"].view(1, -1, 1, 1)) / weights["input.std"].view(1, -1, 1, 1)
    for name in ("conv1", "conv2"):
        x = F.max_pool2d(F.relu(F.conv2d(x, weights[name + ".weight"], weights[name + ".bias"])), 2)
    x = F.relu(F.conv2d(x, weights["conv3.weight"], weights["conv3.bias"])).flatten(1)
    x = F.relu(F.linear(x, weights["dense1.weight"], weights["dense1.bias"]))
    return F.linear(x, weights["dense2.weight"], weights["dense2.bias"])


def gradient(x, y):
    x = x.clone().requires_grad_()
    logits = network(x)
    return torch.autograd.grad(F.cross_entropy(logits, y, reduction="sum"), x)[0], logits.detach()


def fgsm(x, y):
    g, _ = gradient(x, y)
    return (x + epsilon * g.sign()).clamp(0, 1)


def pgd(x, y):
    """Whether each image withstands every iterate; all images take all steps."""
    stands = torch.ones(len(y), dtype=torch.bool)
    a = (x + torch.empty_like(x).uniform_(-epsilon, epsilon)).clamp(0, 1)
    for _ in range(settings["steps"]):
        g, logits = gradient(a, y)
        stands &= logits.argmax(1) == y
        a = torch.min(torch.max(a + settings["step"] * g.sign(), x - epsilon), x + epsilon).clamp(0, 1)
    with torch.no_grad():
        return stands & (network(a).argmax(1) == y)


def run(attack):
    start = time.perf_counter()
    found = torch.cat([attack(images[i:i + batch], labels[i:i + batch]) for i in range(0, len(labels), batch)])
    return found, time.perf_counter() - start


with torch.no_grad():
    clean = torch.cat([network(images[i:i + batch]).argmax(1) for i in range(0, len(labels), batch)]) == labels
run(fgsm)
examples, fgsm_seconds = run(fgsm)
with torch.no_grad():
    fooled = torch.cat([network(examples[i:i + batch]).argmax(1) for i in range(0, len(labels), batch)]) == labels
stands, pgd_seconds = run(pgd)
gradients = run(lambda x, y: gradient(x, y)[0])[0]
examples.float().numpy().tofile(folder + "/fgsm.f32")
gradients.float().numpy().tofile(folder + "/gradients.f32")
print(json.dumps({"clean": clean.double().mean().item(), "fgsm": (fooled & clean).double().mean().item(),
                  "pgd": (stands & clean).double().mean().item(), "fgsmSeconds": fgsm_seconds, "pgdSeconds": pgd_seconds}))

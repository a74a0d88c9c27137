"""Backpropagation steps in PyTorch, on demand: reads lines "case threads seconds" and answers with milliseconds a step.

Driven by `FaMLNet.Benchmarks pytorch`, which takes turns with it. Needs PyTorch, for example Debian's python3-torch and libopenblas0-pthread.
"""
import sys
import time

import torch
from torch import nn


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.stride, self.more = stride, outputs - inputs
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        shortcut = x if self.stride == 1 else nn.functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more // 2, self.more // 2))
        return torch.relu(self.body(x) + shortcut)


def mlp(*sizes):
    layers = []
    for i in range(1, len(sizes)):
        layers += [nn.Linear(sizes[i - 1], sizes[i])] + ([nn.ReLU()] if i < len(sizes) - 1 else [])
    return nn.Sequential(*layers), (sizes[0],), sizes[-1]


def lenet():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 120, 5), nn.ReLU(),
        nn.Flatten(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)), (1, 32, 32), 10


def resnet20(channels_last=False):
    layers, inputs = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for stage in (16, 32, 64):
        for block in range(3):
            layers.append(Block(inputs, stage, 2 if block == 0 and stage > 16 else 1))
            inputs = stage
    network = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))
    return (network.to(memory_format=torch.channels_last) if channels_last else network), (3, 32, 32), 10


CASES = {
    "mlp-small": (lambda: mlp(30, 64, 32, 3), 64),
    "mlp-large": (lambda: mlp(784, 500, 500, 10), 128),
    "lenet": (lenet, 64),
    "resnet20": (resnet20, 128),
    "resnet20-channels-last": (lambda: resnet20(True), 128),
}
ready = {}


def stepper(case):
    if case not in ready:
        build, batch = CASES[case]
        network, shape, classes = build()
        x, y = torch.randn(batch, *shape), torch.randint(classes, (batch,))
        if case.endswith("channels-last"):
            x = x.contiguous(memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(network.parameters(), 0.001, momentum=0.9, weight_decay=1e-3)
        loss = nn.CrossEntropyLoss()

        def step():
            optimizer.zero_grad()
            loss(network(x), y).backward()
            optimizer.step()

        ready[case] = step
    return ready[case]


def blas():
    """Which library computes matrix products: told by what is in memory after one, or by how PyTorch was built."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    with open("/proc/self/maps") as maps:
        files = {line.split()[-1] for line in maps if "blas" in line.lower() or "mkl" in line.lower()}
    for name, mark in (("OpenBLAS", "openblas"), ("MKL", "mkl"), ("BLIS", "blis"), ("ATLAS", "atlas")):
        if any(mark in file.lower() for file in files):
            return name
    if files:
        return "the reference BLAS"
    return "MKL" if "mkl" in torch.__config__.show().lower() else "an unknown BLAS"


print("ready", torch.__version__, blas(), sep="|", flush=True)
for line in sys.stdin:
    name, threads, seconds = line.split()
    torch.set_num_threads(int(threads))
    step = stepper(name)
    step()
    steps, start = 0, time.perf_counter()
    while time.perf_counter() - start < float(seconds):
        step()
        steps += 1
    print((time.perf_counter() - start) / steps * 1e3, flush=True)

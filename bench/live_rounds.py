#!/usr/bin/env python3
"""Alternating rounds of bench/loops without a watcher, with an empty program, and with a watcher; prints the fastest
batch and the median of each round's fastest batch, in ns a call. live_rounds.py DIR ROUNDS SECONDS -- WATCHER ARGS...
DIR holds the built loops, empty_probe and empty_probe.bpf.o."""
import statistics
import subprocess
import sys
import time

folder, rounds, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3]
watcher = sys.argv[sys.argv.index("--") + 1:]
works = sys.argv[4].split(",") if sys.argv[4] != "--" else ["getpid", "open", "fork"]
results = {}


def loops(condition):
    for work in works:
        out = subprocess.run([f"{folder}/loops", work, seconds], capture_output=True, text=True, check=True).stdout
        results.setdefault((condition, work), []).append(float(out.split()[1]))


for _ in range(rounds):
    loops("none")
    empty = subprocess.Popen([f"{folder}/empty_probe", f"{folder}/empty_probe.bpf.o", "600"], stdout=subprocess.PIPE)
    empty.stdout.readline()
    loops("empty")
    empty.terminate()
    empty.wait()
    live = subprocess.Popen(watcher, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    for line in live.stderr:  # until it says that it watches
        if "watching" in line:
            break
    time.sleep(0.2)
    loops("watched")
    live.terminate()
    live.wait()

print(f"{'work':8} {'condition':9} {'fastest':>10} {'median':>10} {'slowest':>10}   ns a call, {rounds} rounds")
for work in works:
    for condition in ["none", "empty", "watched"]:
        values = results[(condition, work)]
        print(f"{work:8} {condition:9} {min(values):10.1f} {statistics.median(values):10.1f} {max(values):10.1f}")

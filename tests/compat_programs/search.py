"""What the original's notebook does: random search and regularized evolution on a time budget."""

import copy
import json
import random
import sys

import numpy as np
from nasbench import api

OPS = ["conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3"]
VERTICES = 4
EDGE_SPOTS = VERTICES * (VERTICES - 1) // 2
OP_SPOTS = VERTICES - 2


def draw_spec(nasbench):
    """Draw raw matrices and ops until they make a cell."""
    while True:
        matrix = np.triu(np.random.choice([0, 1], size=(VERTICES, VERTICES)), 1)
        ops = np.random.choice(OPS, size=VERTICES).tolist()
        ops[0], ops[-1] = "input", "output"
        spec = api.ModelSpec(matrix=matrix, ops=ops)
        if nasbench.is_valid(spec):
            return spec


def mutate_spec(nasbench, old, rate=1.0):
    """Flip edges and change ops of the raw matrix, each now and then, until they make a cell."""
    while True:
        matrix = copy.deepcopy(old.original_matrix)
        ops = copy.deepcopy(old.original_ops)
        for source in range(VERTICES - 1):
            for target in range(source + 1, VERTICES):
                if random.random() < rate / EDGE_SPOTS:
                    matrix[source, target] = 1 - matrix[source, target]
        for vertex in range(1, VERTICES - 1):
            if random.random() < rate / OP_SPOTS:
                others = [op for op in nasbench.config["available_ops"] if op != ops[vertex]]
                ops[vertex] = random.choice(others)
        spec = api.ModelSpec(matrix, ops)
        if nasbench.is_valid(spec):
            return spec


class Log:
    """Every query, and the best so far."""

    def __init__(self, nasbench):
        self.nasbench = nasbench
        self.runs, self.times, self.best = [], [], [0.0]

    def query(self, spec):
        data = self.nasbench.query(spec)
        seconds, _ = self.nasbench.get_budget_counters()
        keys = ("training_time", "validation_accuracy", "test_accuracy")
        self.runs.append([self.nasbench._hash_spec(spec), *(data[key] for key in keys)])
        self.times.append(seconds)
        self.best.append(max(self.best[-1], data["validation_accuracy"]))
        return data["validation_accuracy"]

    def over(self, budget):
        return self.nasbench.get_budget_counters()[0] > budget


def random_search(nasbench, budget):
    nasbench.reset_budget_counters()
    log = Log(nasbench)
    while not log.over(budget):
        log.query(draw_spec(nasbench))
    return log


def evolution(nasbench, budget, population_size=20, tournament_size=5):
    nasbench.reset_budget_counters()
    log = Log(nasbench)
    population = []
    for _ in range(population_size):
        spec = draw_spec(nasbench)
        population.append((log.query(spec), spec))
    while not log.over(budget):
        tournament = random.sample(population, tournament_size)
        _, parent = max(tournament, key=lambda pair: pair[0])
        child = mutate_spec(nasbench, parent)
        population.append((log.query(child), child))
        population.pop(0)
    return log


if __name__ == "__main__":
    path, seed, budget = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    nasbench = api.NASBench(path, seed=seed)
    np.random.seed(seed)
    found = {}
    for name, search in (("random", random_search), ("evolution", evolution)):
        log = search(nasbench, budget)
        found[name] = {
            "runs": log.runs,
            "times": log.times,
            "best": log.best[1:],
            "epochs": nasbench.total_epochs_spent,
        }
    print(json.dumps(found))

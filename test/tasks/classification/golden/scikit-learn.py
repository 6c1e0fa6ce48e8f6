# Writes scikit-learn.json: scores of random logits by scikit-learn.
#   pip install scikit-learn==1.7.2 && python scikit-learn.py
import json
import os

import numpy
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, top_k_accuracy_score

random = numpy.random.default_rng(7)
classes = range(5)
labels = random.integers(0, 5, 60)
logits = numpy.round(random.normal(size=(60, 5)) + 1.2 * numpy.eye(5)[labels], 3)
shares = numpy.exp(logits) / numpy.exp(logits).sum(1, keepdims=True)
predicted = logits.argmax(1)
entropy = log_loss(labels, shares, labels=classes)
scores = {
    "logits": logits.tolist(),
    "labels": labels.tolist(),
    "loss": entropy,
    "smoothed": 0.9 * entropy + 0.1 * -numpy.log(shares).mean(),
    "accuracy": accuracy_score(labels, predicted),
    "topK": top_k_accuracy_score(labels, logits, k=2, labels=classes),
    "f1": f1_score(labels, predicted, labels=classes, average=None).tolist(),
    "confusion": confusion_matrix(labels, predicted, labels=classes).tolist(),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "scikit-learn.json"), "w") as file:
    json.dump(scores, file)
    file.write("\n")

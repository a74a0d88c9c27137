"""scikit-learn's networks of several outputs. Arguments: folder with train.csv and test.csv, number of features, 'numbers' or 'labels', epochs, rate, seed."""
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.metrics import accuracy_score, f1_score, r2_score
from sklearn.neural_network import MLPClassifier, MLPRegressor

folder, features, task, epochs, rate, seed = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5]), int(sys.argv[6])
warnings.filterwarnings("ignore")  # that so few epochs do not converge
train, test = (np.loadtxt(f"{folder}/{name}.csv", delimiter=",") for name in ("train", "test"))
x, y, x_test, y_test = train[:, :features], train[:, features:], test[:, :features], test[:, features:]
kind = MLPRegressor if task == "numbers" else MLPClassifier
network = kind((128, 64), batch_size=32, learning_rate_init=rate, alpha=0, max_iter=epochs, n_iter_no_change=epochs + 1, tol=0, random_state=seed)
mean, deviation = y.mean(axis=0), y.std(axis=0)
start = time.perf_counter()
network.fit(x, (y - mean) / deviation if task == "numbers" else y.astype(int))
seconds = time.perf_counter() - start
found = network.predict(x_test)
first, second = (r2_score(y_test, found * deviation + mean), 0) if task == "numbers" else (
    f1_score(y_test, found, average="micro"), accuracy_score(y_test, found))
print(f"{sklearn.__version__}|{seconds}|{first}|{second}")

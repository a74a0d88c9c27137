"""scikit-learn's MLPClassifier on sparse rows. Arguments: training and test file in svmlight's format, features, epochs, rows a mini-batch."""
import sys
import time
import warnings

import sklearn
from sklearn.datasets import load_svmlight_file
from sklearn.neural_network import MLPClassifier

train, test, features, epochs, batch = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
warnings.filterwarnings("ignore")  # that so few epochs do not converge
x, y = load_svmlight_file(train, n_features=features, zero_based=True, dtype="float32")
x_test, y_test = load_svmlight_file(test, n_features=features, zero_based=True, dtype="float32")
network = MLPClassifier((128, 64), batch_size=batch, max_iter=epochs, n_iter_no_change=epochs + 1, tol=0, random_state=1)
start = time.perf_counter()
network.fit(x, y)
print(f"{sklearn.__version__}|{time.perf_counter() - start}|{network.score(x_test, y_test)}")

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def scaled(max_iter: int):
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=max_iter))

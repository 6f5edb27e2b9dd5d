class Naive:
    """Says that a day is as its one feature."""

    def fit(self, features, target):
        return self

    def predict(self, features):
        return features.iloc[:, 0].to_numpy()

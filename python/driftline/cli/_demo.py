"""The story of the bundled log: a model of car loans, a year in production."""

from datetime import UTC, datetime
from importlib.resources import as_file, files

import driftline as dl
from driftline._config import config_of
from driftline._monitor.replay import replay
from driftline.cli._monitor import tell_replay

__all__ = ["DemoStory", "tell"]


COLUMNS = {
    "time": "timestamp",
    "id": "id",
    "prediction": "y_pred",
    "probability": "y_pred_proba",
    # The outcome comes months later.
    "ignore": ["repaid"],
}


class DemoStory:
    """The weeks, and the comparisons, that the demo is made of."""

    def __init__(self) -> None:
        with as_file(files("driftline") / "demo") as data:
            config = config_of(
                {
                    "monitor": "loans",
                    "data": str(data / "production"),
                    "reference": str(data / "reference.parquet"),
                    "columns": COLUMNS,
                    "window": "1 week",
                }
            )
            self.weeks = replay(config, now=datetime(2019, 10, 1, tzinfo=UTC), progress=False)
            self.since_training = dl.compare(data / "reference.parquet", data / "production")
            before, last = (data / "production" / f"{quarter}.parquet" for quarter in ("2019-Q2", "2019-Q3"))
            self.last_quarter = dl.compare(before, last)


def tell(story: DemoStory, report: str) -> list[object]:
    """Paragraphs, and the comparisons between them."""
    first, last = story.since_training, story.last_quarter
    limit = f"{100 * first.tolerance:g} %"
    return [
        "A model predicts who repays a car loan. Here are its features and predictions of 10 months in production,\n"
        "watched week by week beside those of the 10 months before, in which it was right: the reference.\n",
        "\n".join(tell_replay(story.weeks)),
        "\nFor five months nothing happens, and nothing is said; then some features and the score move together, and "
        "that is said\nin the same week. A bare threshold is no measure of it: it depends on the rows of a week.\n\n"
        "What changed since the model was built, over all of production?\n",
        first,
        f"\n{len(first.drifted)} columns changed by more than {limit} of the rows. {len(first.stable)} did not, and "
        "that is proved too. An id and a time\nsay nothing by their values.\n\n"
        "Did it go on? The last quarter (July and August 2019) against the one before:\n",
        last,
        f"\nBoth quarters lie after the change: of {len(last.drifted)} columns a change is proved, of "
        f"{len(last.stable)} that there is none. Of {len(last.undecided)} columns, so few rows\ncannot tell "
        f"{limit} from nothing: driftline says so, and how many would.\n\n"
        f"The whole first comparison, with distributions: {report}\n\n"
        "Next, with data of your own:\n"
        "  driftline compare REFERENCE NEWER_DATA --html report.html --fail-on drift\n"
        "  driftline monitor                  with a driftline.yaml beside your log\n"
        "The data are NannyML's synthetic car-loan set (Apache-2.0).",
    ]

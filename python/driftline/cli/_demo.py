"""The story of the bundled log: a model of car loans, a year in production."""

from importlib.resources import as_file, files

import driftline as dl

__all__ = ["DemoStory", "tell"]


class DemoStory:
    """The comparisons that the demo is made of."""

    def __init__(self) -> None:
        with as_file(files("driftline") / "demo") as data:
            self.since_training = dl.compare(data / "reference.parquet", data / "production")
            quarters = [data / "production" / f"{quarter}.parquet" for quarter in ("2019-Q2", "2019-Q3")]
            self.last_quarter = dl.compare(*quarters)


def tell(story: DemoStory, report: str) -> list[object]:
    """Paragraphs, and the comparisons between them."""
    first, last = story.since_training, story.last_quarter
    limit = f"{100 * first.tolerance:g} %"
    return [
        "A model predicts who repays a car loan. Here are its features and predictions of 10 months in production,\n"
        "beside those of the 10 months before, in which it was right: the reference. What changed?\n",
        first,
        f"\n{len(first.drifted)} columns changed by more than {limit} of the rows. {len(first.stable)} did not, and "
        "that is proved too. An id and a time\nsay nothing by their values.\n\n"
        "Did it go on? The last quarter (July and August 2019) against the one before:\n",
        last,
        f"\nIt did not: {len(last.drifted)} columns changed, for both quarters lie after the change. Of "
        f"{len(last.undecided)} columns, so few rows cannot\ntell whether {limit} of them moved: driftline says so, "
        "and how many would.\n\n"
        f"The whole first comparison, with distributions: {report}\n\n"
        "Next, with data of your own:\n"
        "  driftline profile DATA -o reference.profile.parquet\n"
        "  driftline compare reference.profile.parquet NEWER_DATA --html report.html --fail-on drift\n"
        "The data are NannyML's synthetic car-loan set (Apache-2.0).",
    ]

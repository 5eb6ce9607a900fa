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
    kept = ", ".join(sorted(first.stable))
    return [
        "A model predicts who repays a car loan. Here are its features and predictions of 10 months in production,\n"
        "beside those of the 10 months before, in which it was right: the reference. What changed?\n",
        first,
        f"\n{len(first.drifted)} columns changed by more than {first.tolerance:.0%} of the rows; {kept} did not, "
        "and that is proved too.\nAn id and a time say nothing by their values.\n\n"
        "Did it go on? The last quarter (July and August 2019) against the one before:\n",
        last,
        f"\nNothing: {last.drifted or 'no column'} changed, for both quarters lie after the change. "
        f"{len(last.undecided)} columns cannot be told apart\nfrom a change of {last.tolerance:.0%} with so few rows: "
        "driftline says so, and how many rows would do.\n\n"
        f"The whole first comparison, with distributions: {report}\n\n"
        "Next, with data of your own:\n"
        "  driftline profile DATA -o reference.profile.parquet\n"
        "  driftline compare reference.profile.parquet NEWER_DATA --html report.html --fail-on drift\n"
        "The data are NannyML's synthetic car-loan set (Apache-2.0).",
    ]

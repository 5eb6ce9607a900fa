"""What names of columns tell: the words that people use, each as the set it belongs to."""

import re
from typing import Final

__all__ = [
    "calendar_part",
    "id_rank",
    "joined",
    "label_why",
    "prediction_rank",
    "probability_rank",
    "segment_rank",
    "time_rank",
    "version_rank",
    "words",
]

BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[^\w]+|_+")


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


TIMES: Final = _set(
    "ts time timestamp event_time event_ts event_timestamp request_time request_ts request_timestamp prediction_time "
    "prediction_ts prediction_timestamp predicted_at scored_at score_time scoring_time inference_time inference_ts "
    "logged_at log_time requested_at served_at occurred_at"
)
"""Names of the moment that a model was asked."""

OTHER_TIMES: Final = _set("date datetime date_time day dt created created_at event_date when epoch")

TIME_WORDS: Final = _set("ts time timestamp datetime date at dt epoch day dteday")

NOT_THE_TIME: Final = _set(
    "birth birthday dob born expiry expires expiration expire due until end ended stop updated modified changed "
    "deleted last previous prev first signup registered registration joined hired since delivery arrival departure "
    "checkin checkout start started valid closed loaded ingested ingestion exported export etl processed train "
    "training label labeled labelled outcome"
)
"""Words of times of something else than the row: of a person, a contract, a file."""

IDS: Final = (
    *("request_id", "prediction_id", "inference_id", "event_id", "id", "uuid", "guid", "row_id", "record_id", "log_id"),
    *("trace_id", "transaction_id", "order_id", "message_id", "session_id", "key", "identifier"),
)
ID_WORDS: Final = _set("id ids uuid guid identifier key hash token")

PREDICTIONS: Final = (
    *("y_pred", "prediction", "predictions", "pred", "predicted", "y_hat", "yhat", "predicted_label"),
    *("predicted_class", "predicted_value", "pred_label", "pred_class", "prediction_label", "model_prediction"),
    *("model_output", "model_pred", "decision", "y_predicted"),
)
PREDICTION_WORDS: Final = _set("pred preds prediction predicted yhat")

ABOUT_THE_CALL: Final = _set("id ms s us seconds latency duration time at ts date timestamp count version error cost")
"""Last words of names of how a prediction was made, not of what it was."""

PROBABILITIES: Final = (
    *(
        "y_pred_proba",
        "y_proba",
        "y_prob",
        "pred_proba",
        "prediction_proba",
        "predicted_proba",
        "predicted_probability",
    ),
    *("prediction_probability", "proba", "probability", "prob", "p", "y_score", "score", "prediction_score"),
    *("model_score", "pred_score", "predicted_score", "confidence"),
)
PROBABILITY_WORDS: Final = _set("proba prob probability")

LABELS: Final = _set(
    "target targets label labels y_true ground_truth truth actual actuals outcome y_actual true_label gt"
)
LABEL_ENDS: Final = _set("target label true actual truth")

VERSIONS: Final = ("model_version", "model_id", "model_name", "model_tag", "model_ver", "model", "version")

SEGMENTS: Final = _set(
    "country region device platform channel market tenant site store segment os browser language locale plan tier "
    "state city brand source"
)

CALENDAR: Final[dict[str, tuple[int, int, str]]] = {
    **dict.fromkeys(("year", "yr", "yyyy"), (0, 2200, "century")),
    **dict.fromkeys(("month", "mnth", "mon", "mm", "month_of_year"), (0, 12, "year")),
    **dict.fromkeys(("season", "quarter", "qtr"), (0, 4, "year")),
    **dict.fromkeys(("week", "week_of_year", "weekofyear", "iso_week"), (0, 53, "year")),
    **dict.fromkeys(("day_of_year", "dayofyear", "doy"), (0, 366, "year")),
    **dict.fromkeys(("day", "dd", "day_of_month", "dayofmonth", "mday"), (0, 31, "month")),
    **dict.fromkeys(("weekday", "day_of_week", "dayofweek", "dow", "wday"), (0, 7, "week")),
    **dict.fromkeys(("hour", "hr", "hh", "hour_of_day", "hourofday"), (0, 24, "day")),
}
"""Parts of a date by name: the least and the largest number, and how long it takes until they come round."""


def words(name: str) -> tuple[str, ...]:
    """The words of a name: `requestId`, `request-id` and `Request ID` are `request`, `id`."""
    return tuple(part.lower() for part in BOUNDARY.split(name) if part)


def joined(name: str) -> str:
    """The same name as snake case has it."""
    return "_".join(words(name))


def time_rank(name: str) -> int:
    """How much a name sounds like the time of the row: 3 and 2 like it, 1 not at all, 0 like another time."""
    own, whole = words(name), joined(name)
    if whole in TIMES:
        return 3
    if not NOT_THE_TIME.isdisjoint(own):
        return 0
    return 2 if whole in OTHER_TIMES or (own and own[-1] in TIME_WORDS) else 1


def id_rank(name: str) -> int:
    """How much a name sounds like an id: more than 0 where it does."""
    whole, own = joined(name), words(name)
    if whole in IDS:
        return len(IDS) + 1 - IDS.index(whole)
    return 1 if own and own[-1] in ID_WORDS else 0


def prediction_rank(name: str) -> int:
    """How much a name sounds like what a model said."""
    own = words(name)
    return 0 if own and own[-1] in ABOUT_THE_CALL else _rank(name, PREDICTIONS, PREDICTION_WORDS)


def probability_rank(name: str) -> int:
    """How much a name sounds like a probability; the values have to be some, too."""
    return _rank(name, PROBABILITIES, PROBABILITY_WORDS, anywhere=True)


def label_why(name: str) -> str | None:
    """Which word of a name sounds like the truth; `None` where none does."""
    whole, own = joined(name), words(name)
    if whole in LABELS:
        return whole
    return own[-1] if len(own) > 1 and own[-1] in LABEL_ENDS else None


def version_rank(name: str) -> int:
    """How much a name sounds like the version of a model."""
    whole = joined(name)
    return len(VERSIONS) - VERSIONS.index(whole) if whole in VERSIONS else 0


def segment_rank(name: str) -> int:
    """Whether a name is one that people split by (2), or has such a word (1)."""
    own = words(name)
    if len(own) <= 2 and own and (joined(name) in SEGMENTS or (own[-1] in ("code", "name") and own[0] in SEGMENTS)):
        return 2
    return 0 if SEGMENTS.isdisjoint(own) else 1


def calendar_part(name: str) -> tuple[int, int, str] | None:
    """Least, largest and cycle of the part of a date that a name means."""
    return CALENDAR.get(joined(name))


def _rank(name: str, whole_names: tuple[str, ...], single: frozenset[str], *, anywhere: bool = False) -> int:
    whole, own = joined(name), words(name)
    if whole in whole_names:
        return len(whole_names) + 1 - whole_names.index(whole)
    looked_at = own if anywhere else (*own[:1], *own[-1:])
    return 0 if single.isdisjoint(looked_at) else 1

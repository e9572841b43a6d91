"""The data quality card of a stored series: complete, timely, accurate, consistent, relevant, each as measured.

A traffic word stands beside every measure that has limits, and that of a dimension is its worst; there is no score
over all of them, which would hide what is wrong. What cannot be measured from a stored run says that it is not known.
"""

from collections.abc import Sequence

from geomon.errors import InputError, did_you_mean, listing
from geomon.quality.measures import accurate, complete, consistent, relevant, timely
from geomon.quality.records import LIMITS, Card, Dimension, Limits, Measured
from geomon.quality.subject import One, Stored, Subject

__all__ = ["LIMITS", "Card", "Dimension", "Limits", "Measured", "Stored", "Subject", "card", "cards"]


def card(subject: Subject, output: str, area: str) -> Card:
    """The card of one series; InputError for an output or area that the run does not have, or must not tell."""
    outputs = subject.recipe["outputs"]
    for known, wanted, what in ((outputs, output, "output"), (subject.parents, area, "area")):
        if wanted not in known:
            raise InputError(
                f"Run {subject.run.id} has no {what} {wanted!r}; it has {listing(known)}.{did_you_mean(wanted, known)}"
            )
    if (output, area) in subject.hidden:
        raise InputError(
            f"Nothing is told of {output!r} in {area!r}: a number of it is hidden to protect people. "
            "Name a larger area, such as the one that holds it."
        )
    one = One(subject, output, area)
    made = {f.__name__: tuple(f(one)) for f in (complete, timely, accurate, consistent, relevant)}
    return Card(
        run=subject.run.id,
        indicator=subject.run.indicator,
        output=output,
        title=str(outputs[output].get("title") or output),
        ref_area=area,
        name=subject.names.get(area) or area,
        on=subject.day.strftime("%Y-%m-%d"),
        dimensions=tuple(Dimension(name, measures) for name, measures in made.items()),
    )


def cards(subject: Subject, outputs: Sequence[str] = (), areas: Sequence[str] = ()) -> list[Card]:
    """Cards of these outputs and areas; if no area is named, of all that hold nothing hidden."""
    pairs = [(o, a) for o in outputs or subject.recipe["outputs"] for a in areas or subject.parents]
    return [card(subject, o, a) for o, a in pairs if areas or (o, a) not in subject.hidden]

"""Every word that a person sees on a desk, in one table: a row for each text, a column for each language.

Numbers and periods come formatted; a row only says where they stand.
"""

from geomon.errors import DefinitionError, did_you_mean

LANGUAGES = ("en",)

TEXTS: dict[str, tuple[str, ...]] = {
    # ---- the frame of a page
    "page.title": ("{desk} · geomon",),
    "page.skip": ("Skip to the result",),
    "page.home": ("geomon, all desks",),
    "page.desks": ("Desks",),
    "page.look": ("Switch between light and dark",),
    "page.noscript": ("This desk needs JavaScript. The same numbers are in series.parquet of each run.",),
    "depth.title": ("Reading depth",),
    "depth.foundation": ("Foundation",),
    "depth.practitioner": ("Practitioner",),
    "depth.expert": ("Expert",),
    "banner.synthetic": (
        "<b>Synthetic sample country.</b> Its land, its districts and its official figures are invented; "
        "nothing here describes a real place.",
    ),
    # ---- choices
    "choice.output": ("Indicator",),
    "choice.run": ("Run",),
    "choice.area": ("Area",),
    "choice.period": ("Period",),
    "choice.pixels": ("Show the pixels",),
    "choice.run.label": ("{span}, made {made}",),
    # ---- values
    "value.missing": ("no value",),
    "value.unknown": ("not known",),
    "value.between": ("{lower} to {upper}",),
    "value.named": ("{between}, {kind}",),
    "value.below": ("below {value}",),
    "value.from": ("{value} and more",),
    "value.at_least": ("at least {value}",),
    "unit.percent": ("%",),
    "unit.km2": ("km²",),
    "unit.m2": ("m²",),
    "unit.ha": ("ha",),
    "unit.people": ("people",),
    "unit.nW cm-2 sr-1": ("nW/cm²/sr",),
    "unit.nW cm-2 sr-1 km2": ("nW/cm²/sr · km²",),
    "unit.count": ("",),
    # ---- titles and dates
    "title.sdg": ("SDG {code} · {title}",),
    "when.in": ("in {period}",),
    "when.day": ("on {period}",),
    "when.span": ("from {start} to {end}",),
    "date.month": ("{month} {year}",),
    "date.day": ("{day} {month} {year}",),
    "month.1": ("January",),
    "month.2": ("February",),
    "month.3": ("March",),
    "month.4": ("April",),
    "month.5": ("May",),
    "month.6": ("June",),
    "month.7": ("July",),
    "month.8": ("August",),
    "month.9": ("September",),
    "month.10": ("October",),
    "month.11": ("November",),
    "month.12": ("December",),
    # ---- the headline
    "headline.value": ("In {area}, {what} was {value} {when}.",),
    "headline.withheld": ("No value is published for {area} {when}.",),
    "headline.why": ("The reason: {status}. A number that rests on too little is worse than none.",),
    "headline.nothing": ("This run has no row for the area and period.",),
    "headline.bounds": (
        "Whatever the part that was not seen may hold, it lies in the range <b>{between}</b>. "
        "Errors of the map are not in it.",
    ),
    "headline.exact": ("All of it was seen. Errors of the map are not in the interval.",),
    "headline.narrow": (
        "The part that was not seen changes nothing in the digits shown. Errors of the map are not in the interval.",
    ),
    "headline.one_sided": ("It is <b>{between}</b>: ground that was not seen may add to it.",),
    "headline.bounds+confusion": (
        "It lies in the range <b>{between}</b>, with 95 % confidence for the errors of the map, which a reference "
        "sample of this place shows, and whatever the part that was not seen may hold.",
    ),
    "headline.bounds+model": (
        "With the errors that its map is known for elsewhere, and whatever the part that was not seen may hold, it may "
        "lie in the range <b>{between}</b>: a plausible range, not a confidence interval.",
    ),
    "headline.interval": ("Its {kind} is <b>{between}</b>.",),
    "headline.no_interval": ("No interval is known for it.",),
    "headline.seen": ("{coverage} of the area was seen from space.",),
    "headline.estimate": ("This is a satellite estimate, not an official figure.",),
    "interval.bounds": ("bounds from what was not seen",),
    "interval.one_sided": ("lower bound",),
    "interval.sampling": ("sampling interval",),
    "interval.confusion": ("interval from the map's errors",),
    "interval.model": ("model interval",),
    "interval.bounds+confusion": ("95 % interval from a reference sample, with bounds from what was not seen",),
    "interval.bounds+model": ("plausible range from known errors of the map, with bounds from what was not seen",),
    "interval.": ("interval",),
    # ---- what an interval rests on
    "basis.unseen.bounds": ("what ground that was not seen could hold: all of it or nothing; no probability",),
    "basis.unseen.one_sided": ("ground that was not seen may add to it without limit; no probability",),
    "basis.confusion": (
        "{count} reference samples drawn in {area} by map class of {product}{source}; stratified estimator of Olofsson "
        "et al. 2014; errors of the reference itself are not in it",
    ),
    "basis.model": (
        "{count} reference samples of {product} at large{source}: a plausible range, not a confidence interval, for "
        "the map may err otherwise here",
    ),
    "basis.model.part": (
        "{count} reference samples of {product} drawn in {area}{source}: a plausible range here, not a confidence "
        "interval, for they are of another area or period, or do not say which",
    ),
    "basis.source": (" ({source})",),
    "basis.noise": (
        "the scatter of {count} periods about the line through their neighbours: how far one period departs from the "
        "course of the years, not an error of its value",
    ),
    "basis.products": ("the same made from {products}: how far products lie apart, which is no accuracy of any",),
    "break.sample": (
        "values of {area} are adjusted by a reference sample in {sampled} and counted on the map in {counted}",
    ),
    "errors.word": ("The errors of a map are carried through totals and shares of ground; this output is another.",),
    "errors.other": ("It is not made of the classes of a source whose errors are known.",),
    "errors.nowhere": ("No reference sample of {product} is of this area and period.",),
    "errors.mixed": ("A reference class of {product} holds what counts here and what does not.",),
    "errors.unseen": ("Nothing of {product} was seen here that its errors could be of.",),
    "errors.strata": ("The reference sample of {product} has fewer than two samples in a class that was mapped here.",),
    "errors.kind": ("{quantity} is no ground: it is of the kind '{kind}'.",),
    "errors.several": ("{quantity} is made of more than the classes of {source}.",),
    "errors.pixelwise": ("What {quantity} counts of a pixel depends on more than its class in {source}.",),
    "errors.layer": ("{source} is no single date of classes, and errors of what it is made of are not its own.",),
    "errors.probe": ("Which classes of {source} count cannot be found out: {error}.",),
    "errors.needs": ("It also needs {other}, which has no pixels that could be held fixed.",),
    # ---- the key figure
    "figure.withheld": ("Withheld",),
    "figure.interval.": ("Interval",),
    "figure.interval.bounds": ("Bounds",),
    "figure.interval.one_sided": ("Lower bound",),
    "figure.interval.sampling": ("Sampling interval",),
    "figure.interval.confusion": ("Interval",),
    "figure.interval.model": ("Model interval",),
    "figure.interval.bounds+confusion": ("95 % interval with bounds",),
    "figure.interval.bounds+model": ("Plausible range",),
    "figure.coverage": ("Seen",),
    "figure.minimum": ("Needed",),
    "figure.official": ("Official figure",),
    # ---- the check
    "check.title": ("Against the official figure",),
    "check.none": ("No official series was handed in for this output, so nothing can be said about agreement.",),
    "check.upwards": ("There is no official figure for {area}; this is the check of {above}.",),
    "check.pairs": ("The same area and period, side by side",),
    "check.unused": ("Pale rows lie beyond a known break and were not used for the verdict.",),
    "check.publisher": ("Official series: {publisher}",),
    "check.ours": ("What the satellite counts: {definition}",),
    "check.theirs": ("What the official series counts: {definition}",),
    "verdict.agrees": ("Agrees",),
    "verdict.differs in level": ("Differs in level",),
    "verdict.differs in direction": ("Differs in direction",),
    "verdict.differs by definition": ("Differs by definition",),
    "verdict.defect in the data": ("Defect in the data",),
    "verdict.not settled": ("Not settled",),
    "verdict.not comparable": ("Not comparable",),
    "verdict.not enough data": ("Not enough data",),
    "pair.period": ("Period",),
    "pair.satellite": ("Satellite",),
    "pair.official": ("Official",),
    "pair.difference": ("Difference",),
    # ---- the words of the check: pieces
    "check.sentence": ("{words}.",),
    "check.subject": ("{what}, {area}: {clause}",),
    "check.subject.when": ("{what}, {area}, {when}: {clause}",),
    "check.amount": ("{value} {unit}",),
    "check.percent": ("{value} %",),
    "check.points": ("{value} percentage points",),
    "check.span.two": ("{first} and {last}",),
    "check.span.more": ("{first} to {last}",),
    "check.and": (" and ",),
    "check.verdict.agrees": ("agrees",),
    "check.verdict.differs in level": ("differs in level",),
    "check.verdict.differs in direction": ("differs in direction",),
    "check.verdict.differs by definition": ("differs by definition",),
    "check.verdict.defect in the data": ("defect in the data",),
    "check.verdict.not settled": ("not settled",),
    "check.verdict.not comparable": ("not comparable",),
    "check.verdict.not enough data": ("not enough data",),
    # ---- the words of the check: what cannot be compared
    "check.official": ("the official series",),
    "check.satellite": ("the satellite series",),
    "check.absent": ("the official table has no value of {series} for this area",),
    "check.break.inside": ("a known break of the satellite series falls inside every common period",),
    "check.breaks": ("known breaks of the satellite series: {breaks}",),
    "check.breaks.official": ("declared changes of method in the official series: {breaks}",),
    "check.break": ("{why} ({date})",),
    "check.side.out": ("{periods} left out: a break falls into it",),
    "check.side.other": ("{periods}, on the other side of a break: {verdict}",),
    "check.unit": ("unit: {why}",),
    "check.unit.none": ("no unit",),
    "check.unit.unstated": ("{publisher} states no unit (a column unit_measure), the satellite series is in {units}",),
    "check.unit.apart": (
        "{publisher} gives {given}, the satellite series {units}; one cannot be turned into the other",
    ),
    "check.unit.some": ("official values in units that cannot be converted were left out",),
    "check.described": ("{publisher} describes its series as: {counts}",),
    "check.definition.other": ("official figures under another definition left out ({periods})",),
    "check.empty": ("{name} has no value here ({status})",),
    "check.empty.why": ("no number is given",),
    "check.date": ("date: {why}",),
    "check.date.kinds": ("the satellite series is for {ours}, {publisher} for {theirs}",),
    "check.date.none": ("no period in common: the satellite series has {ours}, {publisher} {theirs}",),
    "check.kind.years": ("single years",),
    "check.kind.months": ("months",),
    "check.kind.days": ("days",),
    "check.kind.spans": ("spans of several years",),
    "check.negative": ("a tolerance in percent has no meaning for values below zero",),
    "check.negative.reason": ("unit: values below zero",),
    # ---- the words of the check: verdicts
    "check.few": ("{latest}; with {years} nothing can be said yet, {fewest} common periods are needed",),
    "check.few.years": ("only {periods} in common",),
    "check.latest": ("the satellite shows {satellite}, {publisher} reports {official}",),
    "check.latest.in": ("the satellite shows {satellite}, {publisher} reports {official} in {period}",),
    "check.latest.between": ("{value} ({lower} to {upper})",),
    "check.definition": ("{latest}; they do not count the same thing: {why}",),
    "check.definition.counts": ("{publisher} counts: {counts}",),
    "check.definition.own": ("{differs} ({publisher}: {counts})",),
    "check.slip.times": (
        "{publisher} reports {factor} times what the satellite shows in {when}, "
        "as if one unit had been written for another",
    ),
    "check.slip.part": (
        "{publisher} reports {factor} of what the satellite shows in {when}, "
        "as if one unit had been written for another",
    ),
    "check.slip.reason": ("factor {factor} in {when}, as if one unit had been written for another ({units})",),
    "check.slip.reverse": ("the reverse of {units}",),
    "check.slip.after": ("with the factor taken out: {verdict}",),
    "check.slip.km2": ("km2 for 1000 ha",),
    "check.slip.hectares": ("hectares for km2, or percent for fractions",),
    "check.slip.thousands": ("single units for thousands",),
    "check.slip.millions": ("m2 for km2, or single units for millions",),
    "check.slip.acres": ("acres for hectares",),
    "check.direction": (
        "the satellite series {satellite} while {publisher} {official}; "
        "which of the two is right cannot be told from them alone",
    ),
    "check.direction.reason": ("opposite directions: satellite {satellite}, official {official}",),
    "check.rises": ("rises by {size} a year ({lower} to {upper})",),
    "check.falls": ("falls by {size} a year ({lower} to {upper})",),
    "check.rises.line": ("rises by {size} a year on straight lines through {knots} values",),
    "check.falls.line": ("falls by {size} a year on straight lines through {knots} values",),
    "check.pace": ("{sign}{size} a year",),
    "check.jump": (
        "the difference between the satellite series and {publisher} jumps by {size} in {when}: "
        "{before} before, {after} since; {side}",
    ),
    "check.jump.reason": ("a break in {when}: the difference jumps by {size}; {side}",),
    "check.jump.unknown": ("which of the two jumped cannot be told",),
    "check.jump.official": ("it is the official series that jumps, as a change of method would make it",),
    "check.jump.satellite": (
        "it is the satellite series that jumps, as a change of sensor or algorithm would make it",
    ),
    "check.odd": (
        "in {years} {publisher} and the satellite series are {size} further apart than usual; "
        "the verdict for the other years is: {verdict}",
    ),
    "check.odd.reason": ("odd years: {years} stands out by {size}",),
    "check.odd.rest": ("without it: {verdict}",),
    "check.drift": (
        "the satellite series and {publisher} drift apart by {size} over the years, "
        "more than the {equal} that count as equal",
    ),
    "check.drift.reason": ("they drift apart by {size} in ten years; numbers alone do not say which side drifts",),
    "check.agrees": (
        "the satellite series and {publisher} agree: on average they are {size} apart ({interval}), "
        "inside the {equal} that count as equal",
    ),
    "check.agrees.reason": ("equal within {equal}: {interval}",),
    "check.level.more": (
        "the satellite shows on average {size} more than {publisher} reports ({interval}), "
        "beyond the {equal} that count as equal",
    ),
    "check.level.less": (
        "the satellite shows on average {size} less than {publisher} reports ({interval}), "
        "beyond the {equal} that count as equal",
    ),
    "check.level.reason.more": ("level: {size} more by satellite; another definition would look the same",),
    "check.level.reason.less": ("level: {size} less by satellite; another definition would look the same",),
    "check.uneven": (
        "on average the satellite series and {publisher} are only {size} apart, "
        "but in most periods by more than the {equal} that count as equal",
    ),
    "check.uneven.reason": ("equal on average, not period by period: {interval}",),
    "check.wide.more": (
        "on average the satellite shows {size} more than {publisher} reports, "
        "but the uncertainty is too wide to say whether they agree within {equal}",
    ),
    "check.wide.less": (
        "on average the satellite shows {size} less than {publisher} reports, "
        "but the uncertainty is too wide to say whether they agree within {equal}",
    ),
    "check.wide.reason": ("neither equal nor different is shown: {interval}",),
    "check.wide.mistakes": (
        "as published they lie within {equal}, but the reference sample lets the map err by {size} in every year",
    ),
    "check.wide.inside": (
        "as published they are further apart ({interval}), "
        "but the satellite's own interval reaches the official values",
    ),
    "check.interval": ("{percent} % interval of the difference {lower} to {upper}",),
    # ---- the words of the check: remarks
    "check.declared": ("the definitions differ as declared ({differs}); this alone does not explain what is seen",),
    "check.declared.agrees": ("the definitions differ as declared ({differs}); yet the figures agree",),
    "check.declared.part": ("the definitions differ as declared ({differs}); that may be a part of it",),
    "check.opposite.small": ("opposite directions ({satellite} and {official}), but by less than half the tolerance",),
    "check.opposite.hidden": (
        "opposite directions ({satellite} and {official}), "
        "but the ground that was not seen could explain the satellite's",
    ),
    "check.opposite.first": ("opposite directions ({satellite} and {official}), but what is said first explains them",),
    "check.unseen": ("the satellite's own interval is wide: what was not seen could move its value by {size}",),
    "check.unseen.limitless": (
        "the satellite's own interval is wide: what was not seen could move its value without limit",
    ),
    "check.zeros": (
        "{n} of {of} pairs hold a zero, which counts as a thousandth of the other side: a ratio to zero has no size",
    ),
    "check.same": (
        "{publisher} gives the same value {n} times in a row ({when}): perhaps carried forward, and not measured anew",
    ),
    "check.estimated": ("some official values are themselves estimated or modelled (nature E or M)",),
    "check.straight.knots": (
        "the official values lie on straight lines: they carry {knots} independent values, not {n}",
    ),
    "check.vintage": ("{publisher} marks values as revised, preliminary or of another vintage: {marks}",),
    "check.vintage.mark": ("{period} ({note})",),
    # ---- the words of the check: grades
    "check.grade.A": (
        "A: equal within the tolerance over {fewest} or more common years, and quiet from year to year "
        "(under half a tolerance)",
    ),
    "check.grade.B": (
        "B: equal within the tolerance over {fewest} or more common years, with half a tolerance or more of scatter "
        "from year to year",
    ),
    "check.grade.B.wide": (
        "B: equal within the tolerance over {fewest} or more common years, but the satellite's own interval is wider "
        "than the tolerance on either side",
    ),
    "check.grade.C": ("C: {fewest} or more common years show neither agreement nor a difference",),
    "check.grade.D": ("D: a reason stands that {fewest} or more common years show",),
    "check.grade.none": ("no grade: it takes {fewest} common years that can be compared",),
    # ---- the words of the check: causes, from many areas together
    "check.cause.where.nation": ("the whole country",),
    "check.cause.where.rest": ("all other areas",),
    "check.cause.where.many": ("{first} and {n} more",),
    "check.cause.size": ("{size} ({lower} to {upper})",),
    "check.cause.since": ("{first} on",),
    "check.cause.all": ("all years",),
    "check.cause.level.more": (
        "the satellite shows {size} more than {publisher} reports in {where}, by the same amount every year",
    ),
    "check.cause.level.less": (
        "the satellite shows {size} less than {publisher} reports in {where}, by the same amount every year",
    ),
    "check.cause.definition.more": (
        "the satellite shows more than {publisher} reports in {where}, in proportion to the value, "
        "by {size} on average",
    ),
    "check.cause.definition.less": (
        "the satellite shows less than {publisher} reports in {where}, in proportion to the value, "
        "by {size} on average",
    ),
    "check.cause.trend": (
        "the satellite series and {publisher} drift apart by {size} in ten years in {where}; "
        "numbers alone do not say which side drifts",
    ),
    "check.cause.break": (
        "the series of {publisher} jumps in {since} in {where} and the satellite series does not: "
        "the difference changes by {size}, as a change of method would make it",
    ),
    "check.cause.sensor": (
        "the satellite series jumps in {since} in {where} and the official series does not: "
        "the difference changes by {size}, as a change of sensor or algorithm would make it",
    ),
    "check.cause.either": (
        "the difference between the satellite series and {publisher} changes by {size} in {since} in {where}",
    ),
    "check.cause.optimistic": (
        "in the last years, from {since}, {publisher} moves away from the satellite series in {where}, by {size}",
    ),
    "check.cause.gap": (
        "in {where} the difference from {publisher} grows where the ground was not seen: by {size}; "
        "the satellite value is the doubtful one",
    ),
    "check.cause.odd year": (
        "{since} stands out in {where}: the difference from {publisher} is {size} from what it is otherwise",
    ),
    "check.cause.unit.times": (
        "in {where}, {when}, {publisher} reports {factor} times what the satellite shows, "
        "as if one unit had been written for another",
    ),
    "check.cause.unit.part": (
        "in {where}, {when}, {publisher} reports {factor} of what the satellite shows, "
        "as if one unit had been written for another",
    ),
    "check.cause.swap": (
        "the values of {publisher} for {where} look exchanged ({when}): each fits the other's satellite series",
    ),
    "check.cause.boundary": (
        "from {since} {publisher} seems to count {where} within other boundaries: one loses what the other gains",
    ),
    "check.cause.boundary.file": ("the boundaries on file that fit: {version}",),
    "check.cause.copied": ("{publisher} repeats the year before as {since} in {where}",),
    "check.cause.interpolated": (
        "the values of {publisher} for {when} lie on straight lines in {where}; "
        "they carry fewer independent values than years",
    ),
    "check.cause.twins": ("{words}; or {twins}: the numbers cannot tell",),
    "check.cause.twins.less": ("{words}; less likely, {twins}",),
    "check.cause.or": (" or ",),
    "check.cause.repaired": ("repaired, the comparison says: {verdict}",),
    "check.cause.next": ("next best explanation: {other}; the first {gap}",),
    "check.cause.gap.alike": ("cannot be told apart from it",),
    "check.cause.gap.likely": ("is more likely",),
    "check.cause.gap.clearly": ("is clearly ahead",),
    "check.cause.gap.far": ("is by far the better explanation",),
    "check.cause.inside": ("{words}; the satellite's own interval holds the official value there",),
    "check.cause.above": ("seen in the areas together: {words}",),
    "check.cause.below": ("within it: {words}",),
    "check.cause.blind": ("could not be seen here if it were there: {names}",),
    "check.name.unit": ("a slip of the unit",),
    "check.name.copied": ("a year copied from the one before",),
    "check.name.interpolated": ("values drawn as a straight line",),
    "check.name.swap": ("two areas exchanged",),
    "check.name.boundary": ("another boundary",),
    "check.name.level": ("a constant difference in what is counted or measured",),
    "check.name.definition": ("another definition",),
    "check.name.trend": ("a slow drift of either side",),
    "check.name.break": ("a change of method in the official series",),
    "check.name.sensor": ("a change of sensor or algorithm in the satellite series",),
    "check.name.optimistic": ("preliminary or optimistic figures for the last years",),
    "check.name.gap": ("ground hidden from the satellite",),
    "check.name.odd year": ("one odd year",),
    # ---- the words of the check: numerator and denominator
    "check.parts.numerator": (
        "it comes from the numerator ({series}): the parts differ by {part}, the wholes by {whole}",
    ),
    "check.parts.denominator": (
        "it comes from the denominator ({series}): the parts differ by {part}, the wholes by {whole}",
    ),
    "check.parts.both": (
        "it comes from numerator and denominator together: the parts differ by {part}, the wholes by {whole}",
    ),
    "check.parts.open": (
        "the official share is not its numerator over its denominator: in {period} they make {made}, "
        "{publisher} reports {given}",
    ),
    # ---- two official tables beside each other
    "compare.reason.numerator": ("the numerator: the part was revised, or counted anew",),
    "compare.reason.denominator": ("the denominator: another figure for the whole",),
    "compare.reason.base year": ("the denominator: of one base year at one publisher, of the year at the other",),
    "compare.reason.both parts": ("numerator and denominator together",),
    "compare.reason.per person": ("definition: growth per person beside growth of the total",),
    "compare.reason.year after": ("per person, and of the year after: years that begin at another date",),
    "compare.reason.year before": ("per person, and of the year before: years that begin at another date",),
    "compare.reason.half a year after": ("per person, and half a year later: fiscal years beside calendar years",),
    "compare.reason.half a year before": ("per person, and half a year earlier: fiscal years beside calendar years",),
    "compare.reason.population": ("per person, by a population that grows otherwise, the same amount every year",),
    "compare.reason.rounding": ("rounding of one of the two",),
    "compare.reason.unit": ("a power of ten in all years: as if one unit had been written for another",),
    "compare.reason.last years": ("a pattern, not an explanation: only the last years differ, as after a revision",),
    "compare.reason.unexplained": ("unexplained",),
    # ---- the check page
    "tip.difference": ("Satellite minus official",),
    "tip.tolerances": ("In tolerances",),
    "check.page.title": ("Check",),
    "check.page.for": ("Every satellite series beside its official one, for those who must defend a number.",),
    "check.page.open": ("Open the check page: scatter, differences, tests, and how to read defects",),
    "check.page.none": (
        "No stored run was checked against official statistics, or nothing of it may be shown. Hand a table in: "
        "geomon run CODE --zones FILE --period SPAN --official TABLE.",
    ),
    "check.page.nothing": ("Not checked",),
    "check.page.eyebrow": ("{title}, beside {publisher}",),
    "check.page.head.agrees": ("{area}: satellite and official figures agree",),
    "check.page.head.differs in level": ("{area}: satellite and official figures differ in level",),
    "check.page.head.differs in direction": ("{area}: satellite and official figures go in different directions",),
    "check.page.head.differs by definition": ("{area}: satellite and official figures count different things",),
    "check.page.head.defect in the data": ("{area}: there is a defect in the data",),
    "check.page.head.not settled": ("{area}: neither agreement nor a difference is shown",),
    "check.page.head.not comparable": ("{area}: the two figures cannot be compared",),
    "check.page.head.not enough data": ("{area}: too few common periods to say anything",),
    "check.page.choice.publisher": ("Official series",),
    "check.page.option": ("{area}: {verdict}",),
    "check.page.tally": ("Who needs a reader first",),
    "check.page.tally.lead": (
        "{n} areas, those that need a reader first in front. The bar shows the mean difference, satellite minus "
        "official; the pale field is what counts as equal. Choose an area to see its series and reasons.",
    ),
    "check.page.tile": ("{area}, {verdict}. {size}",),
    "check.page.tile.size": ("On average {size} times the tolerance",),
    "check.page.tile.none": ("No mean difference",),
    "check.page.tile.short": ("{size} tol.",),
    "people.told": ("What the check says here could tell a value that protects people, so it is not shown.",),
    "check.page.hidden": (
        "{n} areas are left out here: what the check says of them could tell a value that protects people.",
    ),
    "check.page.series": ("Both series: {area}",),
    "check.page.series.used": ("Official figure, used",),
    "check.page.series.unused": ("Official figure, beyond a known break and not used",),
    "check.page.series.found": ("What the check found: {words}",),
    "check.page.series.odd": ("{years}",),
    "check.page.series.since": ("from {year}",),
    "check.page.difference": ("Difference through time, in units of the tolerance ({tolerance})",),
    "check.page.difference.lead": (
        "Satellite minus official. Inside the pale band the two count as equal. {relative}",
    ),
    "check.page.difference.relative": ("The scale is of ratios: up and down are the same factor.",),
    "check.page.difference.axis": ("tolerances",),
    "check.page.scatter": ("All areas, all common periods",),
    "check.page.scatter.lead": (
        "Each point is an area in one period. On the line the two are equal, in the pale band they count as equal. "
        "{scale}",
    ),
    "check.page.scatter.logs": ("Both scales are logarithmic; {n} points with a zero on either side are left out.",),
    "check.page.scatter.others": ("Other areas",),
    "check.page.scatter.chosen": ("The chosen area",),
    "check.page.scatter.band": ("Counts as equal",),
    "check.page.scatter.line": ("Equal",),
    "check.page.scatter.x": ("official, {unit}",),
    "check.page.scatter.y": ("satellite, {unit}",),
    "check.page.chart": ("{what}. The table below the charts holds the same numbers.",),
    "check.page.meter": ("Mean difference {size}, {times} times the tolerance of {tolerance}",),
    "check.page.reasons": ("Reasons, the best first",),
    "check.page.reasons.none": ("No reason stands: nothing was found that would explain a difference.",),
    "check.page.reasons.other": ("What else should be known",),
    "check.page.reasons.first": ("the best explanation",),
    "check.page.reasons.alone": ("the only explanation that was found",),
    "check.page.reasons.gap": ("the first {gap}",),
    "check.page.reasons.exact": ("an exact pattern, that no noise makes",),
    "check.page.reasons.beside": ("besides the first, not instead of it",),
    "check.page.reasons.effect": ("Size",),
    "check.page.reasons.decade": ("{size} in ten years",),
    "check.page.reasons.where": ("Where",),
    "check.page.reasons.when": ("When",),
    "check.page.reasons.twins": ("Cannot be told apart from",),
    "check.page.reasons.behind": ("Standing",),
    "check.page.remarks": ("About the official series by itself",),
    "check.page.grade": ("Grade {grade}",),
    "check.page.grade.none": ("No grade",),
    "check.page.statistics": ("The numbers behind it",),
    "check.page.statistics.measure": ("Measure",),
    "check.page.statistics.value": ("Value",),
    "check.page.statistics.interval": ("95 % interval",),
    "check.page.statistics.means": ("What it says",),
    "check.page.statistics.none": ("There are too few common periods for numbers.",),
    "check.page.stat.n": ("Common periods used",),
    "check.page.stat.n.means": ("they count as {n} independent ones, since neighbours in time are alike",),
    "check.page.stat.bias": ("Mean difference",),
    "check.page.stat.bias.means": ("satellite minus official; {times} times the tolerance",),
    "check.page.stat.bias.repaired": ("satellite minus official, once the defect is taken out where it can be",),
    "check.page.stat.mae": ("Mean absolute difference",),
    "check.page.stat.mae.means": ("in the unit of the indicator, whichever side is larger",),
    "check.page.stat.p_equal": ("Equivalence, p of two one-sided tests",),
    "check.page.stat.p_equal.yes": ("below 0.05: the mean difference is shown to be within the tolerance",),
    "check.page.stat.p_equal.no": ("not below 0.05: equality within the tolerance is not shown",),
    "check.page.stat.ccc": ("Concordance (Lin)",),
    "check.page.stat.ccc.means": ("1 is the same in every period, 0 no better than by chance",),
    "check.page.stat.slope_satellite": ("Trend of the satellite series (Theil-Sen)",),
    "check.page.stat.slope_official": ("Trend of the official series (Theil-Sen)",),
    "check.page.stat.slope.means": ("a year; p {p} (Mann-Kendall)",),
    "check.page.stat.slope.knots": ("a year; p {p} (Mann-Kendall, of {knots} independent values)",),
    "check.page.stat.pettitt_satellite": ("Break of the satellite series (Pettitt)",),
    "check.page.stat.pettitt_official": ("Break of the official series (Pettitt)",),
    "check.page.stat.sup_f_satellite": ("Break of the satellite series (sup-F)",),
    "check.page.stat.sup_f_official": ("Break of the official series (sup-F)",),
    "check.page.stat.break.yes": ("p {p}: a slow trend looks like a break to this test",),
    "check.page.stat.break.no": ("p {p}: no break is shown",),
    "check.page.stat.correlation_of_changes": ("Correlation of changes from year to year",),
    "check.page.stat.correlation_of_changes.means": ("moving together is not a cause",),
    "check.page.stat.noise": ("Scatter of the difference from year to year",),
    "check.page.stat.noise.means": ("in tolerances",),
    "check.page.pairs": ("The pairs as a table",),
    "check.page.pair.lower": ("From",),
    "check.page.pair.upper": ("To",),
    "check.page.pair.times": ("In tolerances",),
    "check.page.pair.nature": ("Nature of the official figure",),
    "check.page.pair.used": ("Used",),
    "check.page.yes": ("yes",),
    "check.page.no": ("no",),
    "check.page.limits": ("What the check does not say",),
    "check.page.limits.right": (
        "Which of the two is right. Two series alone never tell that; a third source, or the ground, does.",
    ),
    "check.page.limits.cause": (
        "Why two series move together. Correlation is not cause, and a reason here is the shape that fits the "
        "difference best, to be looked into.",
    ),
    "check.page.limits.agree": (
        "That both are accurate. Agreement within the tolerance says that they tell the same story.",
    ),
    "check.page.limits.silence": (
        "That nothing is wrong where nothing is said: a departure smaller than the tolerance is not looked for.",
    ),
    "check.page.method": ("How the check judges, in its order",),
    "check.page.method.1": (
        "Can the two be compared at all: unit, area, period, definition. This needs no points. Text values, withheld "
        "values and aggregates never pair.",
    ),
    "check.page.method.2": (
        "The smallest areas of a country are compared together: first what is exact (a slip of the unit, a copied "
        "year, straight lines), then shapes beside what honest districts do (level, trend, break, exchanged areas, "
        "another boundary, last years, hidden ground), with a correction for all that was tried.",
    ),
    "check.page.method.3": (
        "The areas that the best reason touches are set aside, and the others compared again, until nothing more is "
        "found.",
    ),
    "check.page.method.4": (
        "Provinces, the country, and areas that stand alone are judged by their own values: unit, sharp jump, opposite "
        "directions, jump, odd years, drift, level.",
    ),
    "check.page.method.5": (
        "A grade stands for how sure the verdict is, not for how good the office is. Few years give none.",
    ),
    "check.page.thresholds": ("Thresholds",),
    "check.page.threshold.tolerance": ("Counts as equal ({what})",),
    "check.page.threshold.allowance": ("Honest sides differ by, in tolerances ({name})",),
    "check.page.threshold.years": ("Common years for shapes and for a grade, at least",),
    "check.page.threshold.few": ("Common periods for any statement on a level, at least",),
    "check.page.threshold.sure": ("p after correction below which a shape is told",),
    "check.page.threshold.smallest": ("Smallest departure worth a word, in tolerances",),
    "check.page.threshold.odd": ("Smallest departure of a single year, in tolerances",),
    "check.page.threshold.jump": ("p of a jump or drift of an area by itself, below",),
    "check.page.causes": ("Reasons and numbers as JSON",),
    "check.page.planted": ("What was planted in this invented country, and what the check said",),
    "check.page.planted.lead": (
        "The official figures of this country are made from its truth, with these things changed on purpose. "
        "{found} of {n} were found as what they are, or rightly left out.",
    ),
    "check.page.planted.what": ("What was planted",),
    "check.page.planted.where": ("Where",),
    "check.page.planted.said": ("What the check said",),
    "check.page.planted.outcome": ("Outcome",),
    "check.page.planted.hit": ("Found",),
    "check.page.planted.kept": ("Left out, rightly",),
    "check.page.planted.part": ("Found in {n} of {all} areas",),
    "check.page.planted.missed": ("Missed",),
    "check.page.planted.unchecked": ("Not checked in this run",),
    "check.page.planted.many": ("{first} and {n} more",),
    "check.page.planted.all": ("Everywhere",),
    "check.page.planted.absent": ("the period is left out of the comparison, and nothing is made of it",),
    "check.page.planted.besides": (
        "Besides, in {n} areas where nothing was planted the check sees a difference: {areas}. The official figures "
        "follow the truth there, so the satellite series is the side to look at.",
    ),
    "check.page.planted.clean": ("Where nothing was planted, the check sees no difference.",),
    "check.page.lessons": ("Learn to read defects",),
    "check.page.lessons.lead": (
        "Below stand {n} small invented countries. In all but the first, one thing was made wrong on purpose. The "
        "pictures show one district, or two; what the check says comes from all 15, and {tolerance} percentage points "
        "count as equal. Look first, guess, then read.",
    ),
    "check.page.lesson.district": ("District {n}",),
    "check.page.lesson.office": ("the office",),
    "check.page.lesson.says": ("The check: {words}.",),
    "check.page.lesson.silent": ("The check finds no reason.",),
    "check.page.lesson.place.0": ("It does not name what was planted.",),
    "check.page.lesson.place.1": ("That is what was planted.",),
    "check.page.lesson.place.2": ("What was planted is its second explanation.",),
    "check.page.lesson.place.3": ("What was planted stands further down.",),
    "check.page.lesson.drawing": ("{what}: satellite line and official diamonds, as in the table below",),
    "check.page.lesson.honest.title": ("Nothing is wrong",),
    "check.page.lesson.honest": (
        "Two honest series never lie on each other: both scatter a little, and each district has its own small "
        "constant difference. A check that cried here would cry everywhere.",
    ),
    "check.page.lesson.level.title": ("A level",),
    "check.page.lesson.level": (
        "The office reports less by the same amount in every year. Both series move alike, so the cause is what is "
        "counted or how it is measured, and not what happened.",
    ),
    "check.page.lesson.trend.title": ("A drift",),
    "check.page.lesson.trend": (
        "The two drift apart slowly, year by year. Two series never say which side drifts: a register that nobody "
        "updates does it, and so does a sensor that ages.",
    ),
    "check.page.lesson.break.title": ("A break in the official series",),
    "check.page.lesson.break": (
        "From one year on a province is counted by a new method. Only the official series jumps, the jump stays, and "
        "the years before and after must not be compared.",
    ),
    "check.page.lesson.unit.title": ("A slip of the unit",),
    "check.page.lesson.unit": (
        "Fractions stand where percent should, from one year on. No forest becomes a hundredth in a year: an exact "
        "factor is a slip of the pen, and is repaired by asking the office.",
    ),
    "check.page.lesson.swap.title": ("Two districts exchanged",),
    "check.page.lesson.swap": (
        "The rows of two districts stand under each other's name. Each official series fits the other's satellite "
        "series, and the sum of the two is right.",
    ),
    "check.page.lesson.interpolated.title": ("Lines between counts",),
    "check.page.lesson.interpolated": (
        "The office counted every fifth year and drew lines between. The figures are not wrong, but twenty years then "
        "carry five independent values, and a trend is worth that much.",
    ),
    "check.page.lesson.boundary.title": ("Another boundary",),
    "check.page.lesson.boundary": (
        "A wooded piece of one district counts with its neighbour from one year on. One loses what the other gains, "
        "and the satellite series on the new boundary fits again.",
    ),
    "check.page.lesson.copied.title": ("A copied year",),
    "check.page.lesson.copied": (
        "Nobody counted in one year, and the figures of the year before were handed in again. No series repeats itself "
        "to the last digit in all districts at once.",
    ),
    "check.page.lesson.optimistic.title": ("Optimistic last years",),
    "check.page.lesson.optimistic": (
        "The last years look better than they were, as preliminary figures and plans do. The difference grows towards "
        "the end; the next revision shows whether it stays.",
    ),
    "check.page.lesson.definition.title": ("Another definition",),
    "check.page.lesson.definition": (
        "The office leaves plantations out, the satellite sees them: the difference is large where there is much "
        "forest. A national difference in proportion and a constant one look nearly alike, so the two are named "
        "together.",
    ),
    "check.page.lesson.definition.declared": ("the office leaves plantations out",),
    "check.page.lesson.sensor.title": ("A change of sensor",),
    "check.page.lesson.sensor": (
        "From one year on another satellite is used, which sees less everywhere. Now the satellite series jumps and "
        "the official one does not: the fault lies with us.",
    ),
    "check.page.lesson.gap.title": ("Hidden ground",),
    "check.page.lesson.gap": (
        "Where clouds hide the ground, the satellite value falls short, more in cloudy years and districts. The "
        "difference follows the clouds, so the satellite value is the doubtful one.",
    ),
    # ---- the map
    "map.title": ("{what}, {period}",),
    "map.section": ("Map",),
    "map.pixels": ("Pixels, {period}",),
    "map.in": ("in {unit}",),
    "map.legend": ("Legend",),
    "map.none": ("No value",),
    "map.other": ("seen, and not marked",),
    "map.selected": ("selected",),
    "map.keys": (
        "Arrow keys go from area to area, Enter selects, plus and minus zoom, Shift and arrows pan, "
        "Home shows all, Escape returns to the whole.",
    ),
    "map.told": ("{value} ({between})",),
    "map.withheld": ("Withheld: {status}",),
    "map.attribution": ("{source}. Boundaries as handed in; they imply no endorsement.",),
    "map.coarse": ("This output is shown no finer than provinces.",),
    # ---- progress
    "progress.title": ("Progress",),
    "progress.none": ("No direction was agreed in which this would be progress, so none is graded.",),
    "progress.hidden": ("Counts behind it are hidden to protect people, so none is graded here.",),
    "progress.scale": ("Grades and cut points of the UN Statistics Division.",),
    "progress.sentence": (
        "{what}, {area}: {grade}. It changed by {rate} % a year from {first} to {last}; {desired} is progress.",
    ),
    "progress.sentence.zero": (
        "{what}, {area}: {grade}. It was zero in {first}, from which no rate follows; {desired} is progress.",
    ),
    "progress.desired.up": ("more",),
    "progress.desired.down": ("less",),
    "progress.needed": ("To reach {target} in {year} it takes {required} % a year.",),
    "progress.odds": ("With the intervals of both values this grade comes out in {share} of 100 draws.",),
    "progress.possible.bounds": ("What was not seen leaves anything from {best} to {worst}.",),
    "progress.possible.bounds+model": (
        "What was not seen and the plausible errors of the map leave anything from {best} to {worst}.",
    ),
    "progress.settled.bounds": ("What was not seen does not change that; errors of the map might.",),
    "progress.settled.bounds+model": (
        "Neither what was not seen nor the errors that its map is known for elsewhere change that.",
    ),
    "progress.open_sdg": ("By the cut points of Open SDG: {grade}.",),
    "progress.unknown": ("{what}, {area}: {grade}: {why}.",),
    "progress.broken": ("{why}, counted since a known break of the satellite series: {breaks}",),
    "progress.grade.target met": ("Target met",),
    "progress.grade.substantial progress": ("Substantial progress",),
    "progress.grade.fair progress": ("Fair progress",),
    "progress.grade.limited or no progress": ("Limited or no progress",),
    "progress.grade.deterioration": ("Deterioration",),
    "progress.grade.not enough data": ("Not enough data",),
    "progress.upwards": ("{area} has no grade that can be shown; this is the grade of {above}.",),
    "progress.target": ("The target was set by: {source}",),
    "progress.grade": ("Grade",),
    "progress.chance": ("How likely",),
    # ---- protection of people
    "people.people": ("people",),
    "people.households": ("households",),
    "people.plots": ("plots",),
    "people.sensitive": ("people",),
    "people.status": ("hidden, so that no group of fewer than {fewest} {whom} can be told",),
    "people.hidden": (
        "{count} of {all} values are hidden: counts of fewer than {fewest} {whom}, and as many others as keep those "
        "from being worked out by subtraction. The rest is rounded, so sums may not add up.",
    ),
    "people.none": (
        "No value is hidden: none is a count of fewer than {fewest} {whom}, and none would tell one. Counts are "
        "rounded, so sums may not add up.",
    ),
    "people.pixels": ("Pixels of people are not shown: areas only, none below a square kilometre.",),
    "people.books": (
        "Not shown: what is published of people has to be entered into the books of the store, and that failed",
    ),
    "people.refused": ("Not shown: beside what was published before, these values would tell counts of few people",),
    "release.unnamed": ("this release",),
    "release.tangled": (
        "These areas and those that were published before cut each other into {pieces} pieces around {area}, too many "
        "to show that none gives a small count away. Publish it on the areas of before.",
    ),
    "noise.refused": (
        "{tables} tables with noise would spend {cost:g} of the {left:g} that are left of {limit:g} for the year. "
        "Publish fewer tables, or a smaller epsilon.",
    ),
    "release.refused": (
        "{name} beside what was published before ({before}) would give away {count} counts below {fewest} by "
        "subtraction: {where}. Publish it on the areas of before, or without these areas and those beside them.",
    ),
    # ---- the series
    "series.title": ("Through time: {area}",),
    "series.ranking": ("All areas, {period}",),
    "series.satellite": ("Satellite estimate",),
    "series.band": ("Interval",),
    "series.official": ("Official figure",),
    "series.break": ("Known break: no line is drawn across it",),
    "series.withheld": ("Withheld",),
    "series.coverage": ("Share of the area that was seen (dashed: the minimum)",),
    "series.table": ("The same as a table",),
    "series.caption": ("{what}, {area}",),
    "series.chart": ("Chart: {what}, {area}. The table below it holds the same numbers.",),
    "series.why": ("{date}: {why}",),
    "series.lower": ("Lower",),
    "series.upper": ("Upper",),
    "series.status": ("Remark",),
    "tip.spec": ("What was chosen",),
    "tip.trend": ("Trend",),
    "tip.verdict": ("Verdict",),
    "tip.period": ("Period",),
    "tip.area": ("Area",),
    "tip.told": ("Satellite estimate",),
    "tip.interval": ("Interval",),
    "tip.seen": ("Seen",),
    "tip.published": ("Official figure",),
    "tip.status": ("Withheld",),
    # ---- is that change real?
    "change.title": ("Is that change real?",),
    "change.from": ("From",),
    "change.to": ("To",),
    "change.yes": ("Yes, in this map",),
    "change.no": ("No",),
    "change.cannot tell": ("Cannot tell",),
    "change.one": ("There is one date only: a change needs two.",),
    "change.same": ("Choose two different dates.",),
    "change.sentence": ("From {first} to {second}: {answer}; {reason}",),
    "change.sentence.told": ("From {first} to {second}: {answer}, {change}; {reason}",),
    "change.answer.yes": ("yes",),
    "change.answer.no": ("no",),
    "change.answer.cannot tell": ("cannot tell",),
    "change.reason": ("{reason}; {covers}",),
    "change.covers.bounds": ("the intervals cover ground that was not seen, not mistakes of the map",),
    "change.covers.sampling": ("the intervals cover the sampling error",),
    "change.covers.confusion": ("the intervals cover the map's mistakes as its reference sample shows them",),
    "change.covers.model": ("the intervals are those of a model",),
    "change.covers.bounds+confusion": (
        "the intervals cover ground that was not seen, and the map's mistakes as its reference sample shows them",
    ),
    "change.covers.bounds+model": (
        "the intervals cover ground that was not seen, and plausibly the mistakes that the map is known for elsewhere",
    ),
    "change.adjusted": (
        "one value is adjusted by a reference sample and the other is counted on the map, which is another method",
    ),
    "change.covers.unknown": ("what the intervals cover is not stated",),
    "change.more": ("from {first} to {second}, {size} more",),
    "change.less": ("from {first} to {second}, {size} less",),
    "change.none": ("from {first} to {second}, no difference",),
    "change.absent": ("there is no value for {period}",),
    "change.many": ("there are {count} values for {period}",),
    "change.withheld": ("the value for {period} is withheld ({status})",),
    "change.missing": ("missing",),
    "change.break": ("{why} ({date})",),
    "change.across": ("a known break lies between them: {breaks}",),
    "change.differs.sensor": ("the sensor is not the same in both: {first} and {second}",),
    "change.differs.params": ("the choice of method is not the same in both: {first} and {second}",),
    "change.open": ("the value for {period} has no interval with two ends, so its uncertainty is not known",),
    "change.small": ("the difference lies between {lower} and {upper}",),
    "change.small.matter": ("the difference lies between {lower} and {upper}, below the {smallest} that would matter",),
    "change.clear": ("the two intervals do not overlap: the difference lies between {lower} and {upper}",),
    "change.overlap": ("the two intervals overlap: the difference lies between {lower} and {upper}",),
    # ---- what stands in the place of a value
    "status.unfound": ("no image was found",),
    "status.outside": ("not part of this period",),
    "status.unseen": ("nothing was seen",),
    "status.little": ("too little was seen: {share} of the {needed} needed",),
    "status.undefined": ("not defined here",),
    "status.lost.one": ("{status}; {count} file could not be read",),
    "status.lost.more": ("{status}; {count} files could not be read",),
    "status.blocks.one": ("{status}; {count} block could not be computed",),
    "status.blocks.more": ("{status}; {count} blocks could not be computed",),
    "status.percent": ("{share} %",),
    # ---- the table of areas
    "areas.title": ("All areas in {period}",),
    "areas.area": ("Area",),
    "areas.value": ("Value",),
    "areas.interval": ("Interval",),
    "areas.coverage": ("Seen",),
    # ---- the data quality card
    "quality.title": ("How good these data are",),
    "quality.lead": ("Each measure by itself, as of {day}. The word of a line is that of its worst measure.",),
    "quality.hidden": ("Not shown for this area, where it could tell a hidden number.",),
    "quality.more": ("Every measure and its rule",),
    "quality.dimension": ("Dimension",),
    "quality.light": ("Word",),
    "quality.why": ("What decides it",),
    "quality.measure": ("Measured",),
    "quality.way": ("How, and by which rule",),
    "quality.complete": ("Complete",),
    "quality.timely": ("Timely",),
    "quality.accurate": ("Accurate",),
    "quality.consistent": ("Consistent",),
    "quality.relevant": ("Relevant",),
    "quality.light.good": ("good",),
    "quality.light.with care": ("with care",),
    "quality.light.poor": ("poor",),
    "quality.light.not known": ("not known",),
    "quality.rule.up": ("good up to {good}, with care up to {care} {unit}: {why}",),
    "quality.rule.none": ("good at {good} {unit}, with care at any more: {why}",),
    "quality.rule.down": ("good from {good}, with care from {care} {unit}: {why}",),
    "quality.periods": ("{have} of {asked} periods have a value",),
    "quality.periods.gaps": ("{have} of {asked} periods have a value; {why}",),
    "quality.coverage": ("at least {least} % of the area was seen in every period, {median} % in the median one",),
    "quality.parts": ("{have} of {all} areas inside have a value in {period}",),
    "quality.reads": ("{failed} of {all} files could not be read",),
    "quality.age": ("the newest value is of {period} and {years} years old on {day}",),
    "quality.late": (": out of date",),
    "quality.lag": ("the newest official figure that pairs is of {period} and {years} years old{late}",),
    "quality.source": ("the newest file of {source} is of {day} and {years} years old{late}. {upkeep}",),
    "quality.source.upkeep": ("Its publisher says: {words}",),
    "quality.source.unknown": (
        "not known how old the newest file of {source} is: the run did not record it. {upkeep}",
    ),
    "quality.width": ("half of the interval is {half} wide, {share} times the tolerance; it holds: {of}",),
    "quality.width.alone": ("half of the interval is {half} wide; it holds: {of}; no tolerance is declared",),
    "quality.classes.here": ("errors of the classes are in the interval, from a sample of this place",),
    "quality.classes.product": ("errors of the classes are in the interval, from a sample of the product at large",),
    "quality.agreement": ("beside {publisher}: {verdict}",),
    "quality.breaks": ("known breaks inside: {breaks}",),
    "quality.breaks.none": ("no known break lies inside",),
    "quality.jump": ("the step across the break is {size}, {times} times the usual step",),
    "quality.runs": ("{count} other runs over these areas are stored; what differs: {changed}",),
    "quality.runs.same": ("{count} other runs over these areas are stored, all made alike",),
    "quality.revision": ("{count} of {all} values differ from run {run}, by {size} at most",),
    "quality.revision.none": ("none of {all} values differs from run {run}",),
    "quality.method.definition": ("definition",),
    "quality.method.code": ("code of the definition",),
    "quality.method.engine": ("engine",),
    "quality.method.params": ("choices of the method",),
    "quality.method.use": ("products",),
    "quality.method.inputs": ("files",),
    "quality.method.facts": ("what is known of the products",),
    "quality.method.accuracy": ("reference sample",),
    "quality.method.vintage": ("vintage of the official figures",),
    "quality.gap.parts": ("the area is the sum of its {parts} parts, but for {gap} of it",),
    "quality.gap.polygon": ("the books close to {gap} of the area",),
    "quality.definition.same": ("counts the same as {series}",),
    "quality.definition.differs": ("counts something near {series}: {differs}",),
    "quality.definition.proxy": ("stands for {series}, which is measured in another way. {differs}",),
    "quality.unit": ("in {unit}; official figures are converted to it, or not compared",),
    "quality.unit.none": ("no unit",),
    "quality.unit.share": ("of the official value, as a share",),
    "quality.pixels": ("about {count} pixels lie in the area",),
    "quality.unknown.rows": ("the run has no row for this area",),
    "quality.unknown.outside": ("not known: no image reaches the area",),
    "quality.unknown.reads": ("not known: the run holds no list of files",),
    "quality.unknown.none": ("there is no value of any period",),
    "quality.unknown.official": ("not known: no official figure pairs with a value",),
    "quality.unknown.interval": ("not known: no value has an interval with two ends",),
    "quality.unknown.classes": (
        "not known: no reference sample of the map was given, so its errors are in no interval",
    ),
    "quality.unknown.check": ("not known: the run was stored without official figures",),
    "quality.unknown.steps": ("not known: too few steps on either side of the break",),
    "quality.unknown.runs": ("not known: the store holds no other run over these areas",),
    "quality.unknown.revision": ("not known: no other run made the same choices for the same periods",),
    "quality.unknown.ledger": ("not known: the run holds no books of the area",),
    "quality.unknown.definition": ("not known: no official series is declared for this output",),
    "quality.unknown.pixels": ("not known: the run holds no map, so the size of its pixels is not recorded",),
    "quality.how.periods": ("periods with a published value over periods asked for",),
    "quality.how.coverage": ("the least and the median share of the area that was seen",),
    "quality.how.parts": ("areas without parts of their own, in the newest period that was asked for",),
    "quality.how.reads": ("files that failed over files of the whole run",),
    "quality.how.age": ("from the last day of the newest period with a value",),
    "quality.how.source": ("from the last day that the newest file of the run is of",),
    "quality.how.lag": ("from the last day of the newest period in which both sides have a value",),
    "quality.how.width": ("half of upper minus lower, its median over the periods, over the declared tolerance",),
    "quality.how.classes": ("whether the interval of the values has a part from a reference sample",),
    "quality.how.agreement": ("the verdict of the check; the number is the mean of satellite minus official",),
    "quality.how.breaks": ("known breaks of the products between the first and the last value",),
    "quality.how.jump": ("the largest step across a break over the median of all other steps",),
    "quality.how.runs": ("runs of this indicator in the store with the same areas, compared by their recipes",),
    "quality.how.revision": ("the largest difference from the newest other run of the same choices, in tolerances",),
    "quality.how.gap": ("counted, excluded and unseen ground beside that of the parts, or beside the polygon",),
    "quality.how.definition": ("what the definition declares beside its official series",),
    "quality.how.unit": ("the unit of the output",),
    "quality.how.pixels": ("ground of the area over that of a pixel of the map",),
    # ---- robustness
    "robust.title": ("Does it depend on the method?",),
    "robust.lead": (
        "Each column is one reasonable way to compute the same thing; the marked one is the default. A share of them "
        "is no probability.",
    ),
    "robust.none": ("Nobody has tried other choices for this indicator yet: geomon robustness {code} does.",),
    "robust.tried": ("{tried} of {possible} specifications were tried.",),
    "robust.tried.some": (
        "{tried} of {possible} specifications were tried ({percent} %): the default, single departures from it, and "
        "others by a fixed lot.",
    ),
    "robust.trend.up": (
        "The rise of {what} in {area} holds in {n} of {of} specifications ({percent} %), so {so}. "
        "The sign of the trend holds in {same}.",
    ),
    "robust.trend.down": (
        "The fall of {what} in {area} holds in {n} of {of} specifications ({percent} %), so {so}. "
        "The sign of the trend holds in {same}.",
    ),
    "robust.trend.flat": (
        "The default shows no trend of {what} in {area}, as do {n} of {of} specifications ({percent} %); {up} show a "
        "rise, {down} a fall.",
    ),
    "robust.trend.none": ("The default gives no trend of {what} in {area}: that takes eight periods with a value.",),
    "robust.so.all": ("it does not depend on the choices that were tried",),
    "robust.so.unknown": ("none says otherwise, but {silent} gave no answer",),
    "robust.no": ("no value",),
    "robust.left": (
        "Not tried: {product} for {source}, which is declared too. {name} is not set, so nobody knows where its data "
        'lie here. Set it to the folder of the data, or name what there is: --use "{source}={default}|...".',
    ),
    "robust.so.nearly": ("it hardly depends on the method",),
    "robust.so.depends": ("it depends on the method",),
    "robust.so.few": ("it depends on the method: most of them do not show it",),
    "robust.verdict": ("The verdict '{verdict}' holds in {n} of {of} ({percent} %), so {so}.",),
    "robust.values": ("The value of {last} lies between {low} and {high}, {median} in the median ({n} give one).",),
    "robust.value.same": ("The value of {last} is {median} in all {n} that give one.",),
    "robust.silent": ("{n} of {of} give no value: {why}.",),
    "robust.absent": ("the area has no row for {last}",),
    "robust.why.product": ("another product of the same thing",),
    "robust.why.zones": ("another set of boundaries",),
    "robust.why.years": ("trend and verdict rest on the first and last years more than on others",),
    "robust.default": ("default",),
    "robust.chart": ("Specification curve: {what}, {area}, each specification in order of its value",),
    "robust.chart.choices": ("What each specification chose; the table says the same",),
    "robust.table": ("All specifications as a table",),
    "robust.hidden": ("Other choices are not shown where people are counted: they could tell a hidden number.",),
    "robust.slope": ("{unit} a year",),
    "robust.value.axis": ("{last}, {unit}",),
    # ---- objections, caveats, method
    "objections.title": ("What a doubting reader will ask",),
    "objections.none": ("The definition names no objections yet.",),
    "caveats.title": ("Handle with care",),
    "caveats.minimum": ("A value is published only where at least {share} of the area was seen.",),
    "caveats.break": ("Known break at {date}: {why}",),
    "caveats.nature": ("The numbers are satellite estimates. They do not replace the official statistics.",),
    "method.title": ("Method note",),
    "recipe.title": ("Recipe of this run",),
    "recipe.lead": ("Everything that decides the result. The same recipe gives the same bits.",),
    "recipe.params": ("Parameters",),
    "recipe.use": ("Products put in",),
    "recipe.zones": ("Zones",),
    "recipe.items": ("Files read",),
    "recipe.question": ("Question",),
    "recipe.run": ("Recipe and run",),
    "recipe.versions": ("Versions",),
    "recipe.show": ("The whole recipe",),
    "reads.title": ("What was read",),
    "reads.summary": ("{count} assets were asked for: {states}. {bytes} were read.",),
    "reads.shown": ("The first {shown} of {count}, failed ones first; all are in reads.parquet.",),
    "reads.item": ("Item",),
    "reads.source": ("Source",),
    "reads.status": ("State",),
    "reads.tries": ("Tries",),
    "reads.why": ("Why",),
    "reads.checksum": ("Checksum",),
    "reads.none": ("This run holds no list of reads.",),
    "ledger.title": ("Ledger: {area}, {period}",),
    "ledger.lead": ("In km². What was counted, what was seen and excluded, and what was not seen add up to the area.",),
    "ledger.quantity": ("Quantity",),
    "ledger.counted": ("Counted",),
    "ledger.excluded": ("Excluded",),
    "ledger.unseen": ("Not seen",),
    "ledger.polygon": ("Area",),
    "ledger.none": ("This run holds no ledger for the area.",),
    "code.title": ("Do it again",),
    "code.python": ("In Python",),
    "code.shell": ("On the command line",),
    "code.workspace": ("with GEOMON_WORKSPACE set as it was for this run",),
    "code.official": ("the official figures that this run was checked against",),
    # ---- where it comes from
    "source.title": ("Where this comes from",),
    "source.cite": ("How to cite",),
    "source.citation": (
        "{title} ({code}), {area}, {period}. Satellite estimate, geomon {version}, run {run}, made {made}. {source}",
    ),
    "source.attribution": ("Attribution",),
    "source.data": ("Data of",),
    "source.made": ("Made",),
    "source.sources": ("Sources",),
    "source.version": ("Version",),
    "source.run": ("Run",),
    "source.nature": ("Nature",),
    "source.nature.value": ("satellite estimate",),
    "source.synthetic": ("Synthetic sample country; no real place.",),
    "source.unknown": ("not recorded",),
    # ---- our desks
    "desk.development": ("Development",),
    "desk.development.for": ("Forest and surface water, for those who report on the Sustainable Development Goals.",),
    "desk.humanitarian": ("Humanitarian",),
    "desk.humanitarian.for": ("Where water stands after a storm, for those who must decide where help goes first.",),
    "desk.trade": ("Trade",),
    "desk.trade.for": ("Light at night as a trace of activity, for those who follow markets and infrastructure.",),
    # ---- pages around the desks
    "index.title": ("Desks",),
    "index.lead": (
        "Satellite estimates for the Sustainable Development Goals, each with its interval, its check against "
        "the official figure and the way back to its pixels.",
    ),
    "index.open": ("Open the desk",),
    # ---- what is exported
    "export.yes": ("yes",),
    "export.no": ("no",),
    "export.unknown": ("not known",),
    "export.estimate": ("Satellite estimate, not an official figure.",),
    "export.synthetic": ("Synthetic: the images are invented, and no real place is described.",),
    "export.status.A": ("Normal value",),
    "export.status.E": ("Estimated value",),
    "export.status.D": ("Definition differs",),
    "export.status.L": ("Missing value; data exist but were not collected",),
    "export.status.M": ("Missing value; data cannot exist",),
    "export.status.O": ("Missing value",),
    "export.status.Q": ("Missing value; suppressed",),
    "export.flag.": ("A value. Zero is a value: it was seen that there is none.",),
    "export.flag.:": ("Missing: there is no value, and the column obs_status says why. Missing is not zero.",),
    "export.flag.s": ("Suppressed: there is a value, and it is not shown because it could tell of single people.",),
    "export.interval": ("What the interval of a value is: {kinds}.",),
    "export.bounds": ("lower and upper: the interval. Empty where it is not known, inf where nothing limits it.",),
    "export.coverage": ("coverage: the share of the area that was seen, from 0 to 1.",),
    "export.vintage": ("vintage: which official statistics the run was checked against; they are not in the file.",),
    "export.differs": ("It differs from the official series {official}: {differs}.",),
    "export.differs.from": ("It differs from the official series {official}, which is {definition}: {differs}.",),
    "export.beside": ("Stands beside the official series {official}.",),
    "export.alone": ("Stands beside no official series.",),
    "index.run": ("1 run",),
    "index.runs": ("{count} runs",),
    "index.made": ("{count} in the store, the newest made {made}",),
    "empty.title": ("Nothing has been computed yet",),
    "empty.lead": ("This desk shows stored results, and the store holds none for it.",),
    "empty.demo": ("To see it with the sample country, run",),
    "empty.own": ("or compute an indicator on your own data, and open this page again:",),
    "empty.store": ("The store is {store}.",),
    "error.title": ("This desk could not be opened",),
    "error.lead": ("The details are in the log of the server.",),
    "error.unknown": ("Something went wrong that was not foreseen.",),
}


def say(key: str, /, language: str = LANGUAGES[0], **words: object) -> str:
    """The text of a key with its gaps filled; DefinitionError for a key that is not in the table."""
    if key not in TEXTS:
        raise DefinitionError(f"There is no text {key!r}; add it to geomon/texts.py.{did_you_mean(key, TEXTS)}")
    text = TEXTS[key][LANGUAGES.index(language)]
    return text.format(**words) if words else text


def known(key: str) -> str | None:
    """The text of a key, or None where the table has none."""
    return say(key) if key in TEXTS else None

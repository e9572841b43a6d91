"""An exam for the check: worlds in which one thing is wrong on purpose, and worlds in which nothing is.

For trainees, what can be wrong, one sentence each. In all of them a satellite series and an official series of the
same 24 districts stand side by side over 20 years or more.

* level: one side is always higher by the same amount, for a whole country, a province or a district.
* trend: the two drift apart a little more every year, so that one tells of progress and the other does not.
* break: from one year on the official figures stand on another step, as after a new census or a new form.
* sensor: from one year on the satellite's figures stand on another step, as after a new instrument.
* unit: the official figures are in another unit than they say: hectares, acres, thousands, a fraction for a percentage.
* swap: two districts stand under each other's name.
* boundary: a piece of one district is counted with its neighbour from a year on, and both figures jump though nothing
  happened on the ground.
* copied: a year for which nobody had figures repeats the year before.
* interpolated: figures were collected every five years, and the years between lie on a straight line.
* optimistic: the last few years grow better than what is seen from above.
* definition: both sides are right, but count something different, and one is a fixed part of the other.
* gap: the satellite is off where it saw little, the more the less it saw.
* none: nothing is wrong; honest sides still differ a little, and to cry wolf here is the worst mistake.

Not every mistake can be seen: a line drawn over figures rounded to whole percents looks like the figures, and a step of
one tolerance in a district drowns in noise of one tolerance. Such worlds are marked apart, by how they were made.

`python -m tests.planted 100` (or `make planted WORLDS=100`) sits the exam on seeds that nobody tunes on, and
`python -m tests.planted 10 --tune` on others, for whoever works on the check. Worlds are made in `country`, `plants`
and `worlds`; `seeing` says what could be seen at all; `score` marks, `textbook` is the row to beat.
"""

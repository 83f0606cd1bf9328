"""The parts of a form: there, in order, filled, within their limits."""

from __future__ import annotations

from collections.abc import Iterator

from reports.forms.answer import Finding
from reports.forms.answer import Mark
from reports.forms.answer import found
from reports.forms.checks.cells import labelled
from reports.forms.counting import Count
from reports.forms.counting import total
from reports.forms.form import Rule
from reports.forms.subject import PLACEHOLDER
from reports.forms.subject import Located
from reports.forms.subject import Subject
from reports.forms.subject import squeezed


def parts(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the parts are there, in order."""
    del rule
    last, before = 0, ""
    for section in subject.form.sections:
        if section.level != "part":
            continue
        located = subject.of(section.id)
        if not located:
            yield found(Mark.FAIL, "part-missing", title=section.title)
            continue
        heading = located[0].heading
        if heading.number < last:
            yield found(Mark.FAIL, "part-order", heading, title=section.title, before=before)
        else:
            yield found(Mark.PASS, "part", heading, title=section.title)
        last, before = max(last, heading.number), section.title


def required(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the sections that must be filled are: placeholders are not text; the others are asked for mildly."""
    del rule
    for section in subject.form.sections:
        if section.level == "part":
            continue
        mark = Mark.FAIL if section.required else Mark.WARN
        located = subject.of(section.id)
        if not located:
            yield found(mark, "section-missing", title=section.title)
        elif not any(one.text for one in located):
            yield found(mark, "section-empty", located[0].heading, title=section.title)
        else:
            count = total(one.text for one in located)
            yield found(Mark.PASS, "section", located[0].heading, title=section.title, count=str(count))


def limits(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether no section, and no cell of the form's tables, has more characters than its limit."""
    for section in subject.form.sections:
        if section.limit is None:
            continue
        for one in subject.of(section.id):
            count = total(one.text.split("\n"))
            facts = {"title": section.title, "count": str(count), "limit": section.limit}
            yield found(Mark.PASS if count.within(0, section.limit) else Mark.FAIL, "limit", one.heading, **facts)
    for label, limit in rule.facts.get("cells", {}).items():
        for cell in labelled(subject.document, label):
            count = total(cell.text.split("\n"))
            at = subject.document.paragraphs[cell.paragraph - 1]
            mark = Mark.PASS if count.within(0, limit) else Mark.FAIL
            yield found(mark, "limit", at, title=label, count=str(count), limit=limit)


def task_limit(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether sections that belong together, from one that begins them to the next, keep a common limit."""
    counts: list[tuple[Located, Count]] = []
    for one in subject.located:
        if one.section.id == rule.facts["first"]:
            counts.append((one, Count(0, 0)))
        if one.section.id in rule.facts["parts"] and counts:
            first, so_far = counts[-1]
            counts[-1] = (first, so_far.plus(total(one.text.split("\n"))))
    limit = rule.facts["limit"]
    for first, count in counts:
        mark = Mark.PASS if count.within(0, limit) else Mark.FAIL
        yield found(mark, "task", first.heading, count=str(count), limit=limit)


def placeholders(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether nothing is left for the applicant to write."""
    del rule
    for paragraph in subject.document.paragraphs:
        for match in PLACEHOLDER.findall(paragraph.text):
            yield found(Mark.WARN, "placeholder", paragraph, text=match)


def attachment(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether the self-assessment report was given; what is in it only a person can tell."""
    del rule
    yield found(Mark.MANUAL, "attachment-given" if subject.attached else "attachment-absent")


def manual(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """What no program can see."""
    del subject, rule
    yield found(Mark.MANUAL, "manual")


def scenes(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """Whether a part names scenes of the list."""
    names = subject.form.lists[rule.facts["list"]]
    within = [one for one in subject.located if rule.facts["part"] in (one.section.id, one.section.within)]
    if not within:
        yield found(Mark.WARN, "scenes-no-part")
        return
    text = squeezed("".join(one.text for one in within))
    named = [name for name in names if squeezed(name) in text]
    if named:
        yield found(Mark.PASS, "scenes", names="、".join(named))
    else:
        yield found(Mark.WARN, "scenes-none", within[0].heading)

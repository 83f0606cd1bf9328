"""What somebody who has the whole bundle and no key can write anew: the manifest, and the chain."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

from reports import chain
from reports.bundle import Bundle
from reports.bundle import FileRecord
from reports.bundle import canonical
from reports.bundle import canonical_json
from reports.chain import Entry
from reports.chain_file import ChainTable
from reports.chain_file import write_chain


def files_of(bundle: Path) -> dict[str, FileRecord]:
    """What a manifest says of the folder as it is now."""
    found = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    return {
        name: FileRecord(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        for name, content in sorted(found.items())
        if name != "manifest.json"
    }


def reseal(bundle: Path) -> None:
    """Write the manifest anew for what the folder holds now."""
    opened = Bundle(bundle)
    manifest = opened.read_manifest().model_copy(update={"files": files_of(bundle)})
    if manifest.chain is None:
        value = json.loads((bundle / "manifest.json").read_text("utf-8"))
        value["files"] = {name: record.model_dump() for name, record in manifest.files.items()}
        (bundle / "manifest.json").write_bytes(canonical_json(value))
    else:
        (bundle / "manifest.json").write_bytes(canonical(manifest))


def as_version_1(bundle: Path) -> None:
    """As the last program that knew no chain would have sealed it."""
    (bundle / "chain.parquet").unlink()
    manifest = Bundle(bundle).read_manifest().model_dump(mode="json", exclude={"chain", "checksum"})
    (bundle / "manifest.json").write_bytes(canonical_json(manifest | {"format": "plantproof-bundle/1"}))
    reseal(bundle)


def relink(bundle: Path) -> None:
    """Write the chain anew for what the folder holds now, and the manifest."""
    opened = Bundle(bundle)
    table = opened.read_chain()
    payloads = _payloads(opened)
    left = len(opened.read_table())
    rows = opened.read_table().rows()
    batches = [entry.number for entry, _ in table.entries(chain.OBSERVATIONS)]
    entries: list[Entry] = []
    link = chain.START
    for old, _ in table.entries():
        entry, payload = old, payloads[old.kind, old.subject]
        if old.kind == chain.OBSERVATIONS:
            count = left if old.number == batches[-1] else min(old.rows, left)
            left -= count
            entry = old._replace(rows=count)
            said = chain.observations_payload([next(rows) for _ in range(count)])
        else:
            said = payload.pop(0) if payload else ""
        link = entry.link_after(link, said)
        entries.append(entry._replace(number=len(entries) + 1, link=link))
    write_chain(bundle / "chain.parquet", entries)
    with (bundle / "chain.parquet").open("rb") as file:
        record = ChainTable.read(file).record()
    manifest = opened.read_manifest().model_copy(update={"chain": record, "files": files_of(bundle)})
    (bundle / "manifest.json").write_bytes(canonical(manifest))


def _payloads(opened: Bundle) -> dict[tuple[str, str], list[str]]:
    """What each entry is made of, by kind and subject, in order."""
    files = files_of(opened.path)
    campaign = opened.read_campaign()
    profiles = {name: files[f"profiles/{name}.yaml"].sha256 for name in campaign.profiles}
    made: dict[tuple[str, str], list[str]] = defaultdict(list)
    for entry, _ in opened.read_chain().entries(chain.CAMPAIGN):
        said = chain.campaign_payload(campaign.campaign, files["plant.yaml"].sha256, profiles)
        made[chain.CAMPAIGN, entry.subject].append(said)
    records: list[Any] = [*opened.read_json_lines("attempts.jsonl"), *opened.read_json("results.json")["results"]]
    for record in records:
        made[chain.RESULT, record["item"]].append(chain.result_payload(record))
    for event in opened.read_events():
        said = chain.event_payload(event.utc_ns, event.run, event.kind, event.text, event.facts)
        made[chain.EVENT, ""].append(said)
    for entry, _ in opened.read_chain().entries(chain.RAW):
        vantage, _, _, name = json.loads(entry.subject)
        if f"raw/{vantage}/{name}" in files:
            made[chain.RAW, entry.subject].append(files[f"raw/{vantage}/{name}"].sha256)
    return made

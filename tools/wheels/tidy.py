"""Takes out of a wheel what differs from build to build: folders, times and numbers of its SBOM.

maturin's list of crates (CycloneDX) names the folder of each crate of the project, the moment and a
random number. Folders become relative, the moment is that of the commit, the number is made of the
rest. All of a wheel is then packed anew, in order, with the sums of ``RECORD``.
"""

import base64
import csv
import datetime
import hashlib
import io
import json
import re
import uuid
import zipfile
from pathlib import Path

_LOCAL = re.compile(r"path\+file://[^#\"]*?/((?:rust|benches)(?:/[^#\"/]*)?#)")


def clean_sbom(text: str, seconds: int) -> str:
    """Rewrite a CycloneDX list so that it is the same for every build of the same crates."""
    sbom = json.loads(_LOCAL.sub(r"path+file:///nb101/\1", text))
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    sbom["metadata"]["timestamp"] = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    sbom["serialNumber"] = ""
    rest = json.dumps(sbom, sort_keys=True)
    sbom["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, rest).urn
    return json.dumps(sbom, indent=1) + "\n"


def _record(files: dict[str, bytes], name: str) -> bytes:
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\n")
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
        writer.writerow((path, "sha256=" + digest.decode(), len(content)))
    writer.writerow((name, "", ""))
    return rows.getvalue().encode()


def tidy(wheel: Path, seconds: int) -> None:
    """Rewrite a wheel in its place; `seconds` is the date of what it was built of."""
    with zipfile.ZipFile(wheel) as archive:
        infos = {info.filename: info for info in archive.infolist() if not info.is_dir()}
        files = {name: archive.read(name) for name in sorted(infos)}
    (record,) = (name for name in files if name.endswith(".dist-info/RECORD"))
    del files[record]
    for name in files:
        if name.endswith(".cyclonedx.json"):
            files[name] = clean_sbom(files[name].decode(), seconds).encode()
    files[record] = _record(files, record)
    # What describes a wheel comes last, as the format of wheels advises.
    order = sorted(files, key=lambda name: (".dist-info/" in name, name == record, name))
    date = datetime.datetime.fromtimestamp(max(seconds, 315532800), datetime.UTC)
    made = wheel.with_suffix(".tidied")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in order:
            info = zipfile.ZipInfo(name, date.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = infos[name].external_attr
            archive.writestr(info, files[name])
    made.replace(wheel)

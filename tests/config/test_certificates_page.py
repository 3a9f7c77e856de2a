"""The worked example of the page on certificates: its commands run, and its configuration is sound before and after the revocation."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from doorward.config.check_tls import tls
from doorward.config.ground import Ground
from doorward.config.model import Document
from doorward.identity.certificates.reader import read
from doorward.identity.certificates.trust import read as trusted
from tests.certificates import now
from tests.peers import ROOT

PAGE = (ROOT / "docs" / "identity" / "certificates.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def der(path: Path) -> bytes:
    return subprocess.run(["openssl", "x509", "-in", str(path), "-outform", "DER"], capture_output=True, check=True).stdout


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_worked_example_works(tmp_path: Path) -> None:
    make, revoke = blocks("sh")
    document = Document.model_validate(YAML(typ="safe").load(blocks("yaml")[0]))
    faults = []
    for commands in (make, revoke):
        done = subprocess.run(["sh", "-e", "-c", commands], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert list(tls(document, Ground(tmp_path, {}))) == []
        certificate = read([der(tmp_path / "agent.pem"), der(tmp_path / "roots.pem")])
        assert certificate.uris == ("spiffe://example.org/agents/builder",)
        faults.append(trusted(document.listen, tmp_path, None, now().timestamp()).fault(certificate, now().timestamp()))
    assert (faults[0], "is revoked" in (faults[1] or "")) == (None, True)


@pytest.mark.parametrize("text", blocks("yaml"))
def test_configurations_of_the_page_have_the_right_shape(text: str) -> None:
    Document.model_validate(YAML(typ="safe").load(text))

"""How a text may stand in a file: plain, in UTF-16, in base64 at any offset, in hexadecimal."""

from base64 import b64encode, urlsafe_b64encode


def spellings(text: str) -> list[bytes]:
    """Every spelling that is looked for; of base64 the part that does not depend on what stands beside."""
    raw = text.encode()
    found = [raw, text.encode("utf-16-le"), text.encode("utf-16-be"), raw.hex().encode(), raw.hex().upper().encode()]
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            encoded = encode(b"\0" * before + raw)
            # Characters that hold a bit of a neighbour are not looked for.
            found.append(encoded[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6])
    return sorted(set(found))

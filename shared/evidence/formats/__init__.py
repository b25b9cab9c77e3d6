"""One module a format; its stem is the format's name, and ``from_json``, ``from_xml`` and ``from_text`` read its shapes."""

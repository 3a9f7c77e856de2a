"""The guards: each looks at a message and reports what it finds; none decides, none changes anything."""

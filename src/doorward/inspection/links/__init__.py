"""Where links and images in a text lead: read as a client would that shows the text as Markdown or HTML."""

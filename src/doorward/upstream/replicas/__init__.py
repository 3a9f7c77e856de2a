"""Several addresses of one upstream behind one port: which is asked, which is left out, and when a call may go elsewhere."""

"""The spine: how a governed message goes through the house, and the doors it is entered by."""

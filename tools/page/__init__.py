"""Builds and checks the explorer's page, `web/`, with the Node that there is."""

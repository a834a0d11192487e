"""Run folders as the server reads them: found on the disk, followed while they grow, thinned for the page.

May import: the ground of the dashboard.
"""

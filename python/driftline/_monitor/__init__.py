"""Monitoring over time: rows and files in, windows and alarms out, in a home that survives the process.

`monitor` is the public class; `core` turns a configuration into the engine's monitor; `files` knows which files are
new, changed or delivered again; `archive` reads them; `state` is what a checkpoint holds; `alarms` puts the events of
an alarm together; `status` reads how things stand without disturbing whoever writes.
"""

from driftline._monitor.monitor import Monitor

__all__ = ["Monitor"]

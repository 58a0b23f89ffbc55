"""Asks a Davy node as another master: argv[1] is its port (RTU frames over TCP). One JSON object on standard output."""

import json
import sys

from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]), framer=FramerType.RTU, timeout=3, retries=5)
assert client.connect()


def keyword():
    import inspect

    names = inspect.signature(client.read_coils).parameters
    return next(name for name in ("device_id", "slave") if name in names)


unit = {keyword(): 1}
told = {
    "version": client.read_input_registers(0, count=4, **unit).registers,
    "channels": client.read_input_registers(100, count=33, **unit).registers,
    "contacts": client.read_discrete_inputs(0, count=73, **unit).bits[:73],
    "written": not client.write_register(0, 4711, **unit).isError(),
    "heartbeat": client.read_holding_registers(0, count=1, **unit).registers,
    "coil": not client.write_coils(0, [False] * 4, **unit).isError(),
    "no_such": client.read_input_registers(99, count=1, **unit).exception_code,
    "locked": client.write_registers(1000, [1, 2], **unit).exception_code,
    "identity": {
        str(key): value.decode() for key, value in client.read_device_information(read_code=1, object_id=0, **unit).information.items()
    },
}
client.close()
print(json.dumps(told))

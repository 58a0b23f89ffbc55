"""A pymodbus server of one unit with 200 cells in each table, set and read by a control port, one line a call.

usage: pymodbus_server.py CONTROL_PORT tcp PORT | rtu DEVICE
lines: `set TABLE ADDRESS VALUE` -> `ok`, `get TABLE ADDRESS` -> the value; TABLE is co, di, hr or ir.
"""

import asyncio
import sys

from pymodbus import FramerType, ModbusDeviceIdentification
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

UNIT = 1
READ = {"co": 1, "di": 2, "hr": 3, "ir": 4}


def device():
    def bits():
        return [SimData(0, values=[False] * 200, datatype=DataType.BITS)]

    def registers():
        return [SimData(0, count=200, values=0, datatype=DataType.REGISTERS)]

    return SimDevice(UNIT, simdata=(bits(), bits(), registers(), registers()))


def modbus(link, target):
    who = ModbusDeviceIdentification(info_name={"VendorName": "pymodbus", "ProductCode": "sim", "MajorMinorRevision": "1.0"})
    if link == "tcp":
        return ModbusTcpServer(device(), address=("127.0.0.1", int(target)), identity=who, ignore_missing_devices=True)
    return ModbusSerialServer(
        device(), framer=FramerType.RTU, port=target, baudrate=9600, identity=who, ignore_missing_devices=True
    )


async def answer(server, line):
    verb, table, address, *value = line.split()
    function = READ[table]
    if verb == "set":
        cell = bool(int(value[0])) if function < 3 else int(value[0])
        await server.async_setValues(UNIT, function, int(address), [cell])
        return "ok"
    return str(int((await server.async_getValues(UNIT, function, int(address), 1))[0]))


async def main():
    control, link, target = sys.argv[1:4]
    server = modbus(link, target)
    await server.serve_forever(background=True)

    async def serve(reader, writer):
        reply = await answer(server, (await reader.readline()).decode())
        writer.write(f"{reply}\n".encode())
        await writer.drain()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", int(control))
    print("ready", flush=True)
    await listener.serve_forever()


asyncio.run(main())

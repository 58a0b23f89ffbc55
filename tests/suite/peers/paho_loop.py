"""The second peer of `bench edge`: what is often written in Python. Reads ten units with pymodbus once a second and publishes with paho.

usage: paho_loop.py MODBUS_PORT MQTT_PORT PHASE_MS
PHASE_MS: it polls so many milliseconds after each full second, so that the clients of a bench do not poll at one moment.
"""

import json
import sys
import time

import paho.mqtt.client as mqtt
from pymodbus.client import ModbusTcpClient

UNITS = 10
REGISTERS = 100


def main():
    modbus_port, mqtt_port, phase_ms = (int(arg) for arg in sys.argv[1:4])
    client = mqtt.Client(client_id="paho-loop")
    client.connect("127.0.0.1", mqtt_port)
    client.loop_start()
    bus = ModbusTcpClient("127.0.0.1", port=modbus_port)
    bus.connect()
    due = time.monotonic() + (phase_ms / 1000 - time.time()) % 1.0
    while True:
        time.sleep(max(0.0, due - time.monotonic()))
        for unit in range(1, UNITS + 1):
            answer = bus.read_holding_registers(0, count=REGISTERS, device_id=unit)
            if answer.isError():
                sys.exit(f"unit {unit}: {answer}")
            body = {"time_ms": int(time.time() * 1000), "registers": answer.registers}
            client.publish(f"pymodbus/{unit}", json.dumps(body))
        due += 1.0


main()

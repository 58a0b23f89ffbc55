"""The second peer of `bench edge`: what is often written in Python. Reads ten units with pymodbus once a second and publishes with paho.

usage: paho_loop.py MODBUS_PORT MQTT_PORT
"""

import json
import sys
import time

import paho.mqtt.client as mqtt
from pymodbus.client import ModbusTcpClient

UNITS = 10
REGISTERS = 100


def main():
    modbus_port, mqtt_port = (int(arg) for arg in sys.argv[1:3])
    client = mqtt.Client(client_id="paho-loop")
    client.connect("127.0.0.1", mqtt_port)
    client.loop_start()
    bus = ModbusTcpClient("127.0.0.1", port=modbus_port)
    bus.connect()
    due = time.monotonic()
    while True:
        for unit in range(1, UNITS + 1):
            answer = bus.read_holding_registers(0, count=REGISTERS, device_id=unit)
            client.publish(f"paho/{unit}", json.dumps(answer.registers))
        due += 1.0
        time.sleep(max(0.0, due - time.monotonic()))


main()

"""Decodes everything under spBv1.0/ with pysparkplug's own protobuf classes and prints one JSON object a message.

usage: sparkplug_reader.py BROKER_PORT
A message that does not decode is printed with an "error", so that a test sees it.
"""

import json
import sys

import paho.mqtt.client as mqtt
from pysparkplug._protobuf import sparkplug_b_pb2 as sparkplug

VALUES = ("int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value", "bytes_value")


def field(message, names):
    for name in names:
        if message.HasField(name):
            value = getattr(message, name)
            return value.hex() if isinstance(value, bytes) else value
    return None


def properties(metric):
    names = ("int_value", "long_value", "float_value", "double_value", "boolean_value", "string_value")
    return {key: field(value, names) for key, value in zip(metric.properties.keys, metric.properties.values)}


def metric_of(metric):
    known = {"value": field(metric, VALUES)}
    for name in ("name", "alias", "timestamp", "datatype", "is_historical", "is_null", "is_transient"):
        if metric.HasField(name):
            known[name] = getattr(metric, name)
    if metric.HasField("properties"):
        known["properties"] = properties(metric)
    return known


def decode(data):
    payload = sparkplug.Payload()
    payload.ParseFromString(data)
    seq = payload.seq if payload.HasField("seq") else None
    return {"timestamp": payload.timestamp, "seq": seq, "metrics": [metric_of(metric) for metric in payload.metrics]}


def on_message(_client, _state, message):
    line = {"topic": message.topic, "qos": message.qos, "retain": bool(message.retain)}
    if "/STATE/" in message.topic:
        line["state"] = message.payload.decode()
    else:
        try:
            line.update(decode(message.payload))
        except Exception as error:
            line["error"] = repr(error)
    print(json.dumps(line), flush=True)


def on_connect(client, _state, _flags, _code):
    client.subscribe("spBv1.0/#", qos=1)


client = mqtt.Client(client_id="pysparkplug-reader")
client.on_connect = on_connect
client.on_message = on_message
client.on_subscribe = lambda *_: print("subscribed", flush=True)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()

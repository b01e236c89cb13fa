"""Says the same on comms to a kernel, and prints as JSON what it answered: messages, their metadata, bytes and parents.

Usage: comms.py atmorep|python3. Names that kernels choose are left out, so that two kernels can be compared.
"""
import json
import sys

from jupyter_client.manager import start_new_kernel

CELLS = {
    "atmorep": [
        """const comm = jupyter.openComm("page-target", { id: "ours", data: { a: 1 }, metadata: { m: 1 }, buffers: [Uint8Array.of(1, 2, 3)] });
comm.onMessage(({ data, buffers }) => comm.send({ got: data, count: buffers.length }, { metadata: { k: true }, buffers: [...buffers, Uint8Array.of(9)] }));
jupyter.onComm("cell-target", (opened, { data }) => {
  opened.onMessage((message) => opened.send({ again: message.data }));
  opened.send({ opened: data });
});""",
        "comm.send({ plain: [1, 2] });",
        "comm.close({ last: true });",
    ],
    "python3": [
        """import comm
from comm import create_comm
one = create_comm(target_name="page-target", comm_id="ours", data={"a": 1}, metadata={"m": 1}, buffers=[b"\\x01\\x02\\x03"])
one.on_msg(lambda m: one.send({"got": m["content"]["data"], "count": len(m["buffers"])}, metadata={"k": True}, buffers=[*m["buffers"], b"\\x09"]))
def opened(c, m):
    c.on_msg(lambda m: c.send({"again": m["content"]["data"]}))
    c.send({"opened": m["content"]["data"]})
comm.get_comm_manager().register_target("cell-target", opened)""",
        "one.send({'plain': [1, 2]})",
        "one.close({'last': True})",
    ],
}

kernel = sys.argv[1]
manager, client = start_new_kernel(kernel_name=kernel)
seen = []


def note(message, sent):
    header, parent = message["header"], message["parent_header"]
    if parent.get("msg_id") != sent or header["msg_type"] in ("execute_input",):
        return header["msg_type"] == "status" and message["content"]["execution_state"] == "idle" and parent.get("msg_id") == sent
    seen.append(
        {
            "type": header["msg_type"],
            "header": sorted(header.keys() - {"subshell_id"}),
            "content": message["content"],
            "metadata": message["metadata"],
            "bytes": [list(bytes(part)) for part in message["buffers"]],
            "parent": parent["msg_type"],
        }
    )
    return header["msg_type"] == "status" and message["content"]["execution_state"] == "idle"


def say(kind, content, metadata=None, buffers=None):
    message = client.session.msg(kind, content, metadata=metadata)
    client.session.send(client.shell_channel.socket, message, buffers=buffers)
    while not note(client.get_iopub_msg(timeout=30), message["header"]["msg_id"]):
        pass


def ask(content):
    message = client.session.msg("comm_info_request", content)
    client.session.send(client.shell_channel.socket, message)
    while True:
        reply = client.get_shell_msg(timeout=30)
        if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
            break
    seen.append({"type": reply["header"]["msg_type"], "content": reply["content"]})


def run(code):
    sent = client.execute(code)
    while not note(client.get_iopub_msg(timeout=30), sent):
        pass
    assert client.get_shell_msg(timeout=30)["content"]["status"] == "ok"


first, second, last = CELLS[kernel]
run(first)
ask({})
ask({"target_name": "page-target"})
ask({"target_name": "other"})
say("comm_msg", {"comm_id": "ours", "data": {"q": [1, None]}}, buffers=[b"\x05\x06"])
say("comm_msg", {"comm_id": "unknown", "data": {}})
say("comm_open", {"comm_id": "theirs", "target_name": "cell-target", "data": {"b": "x"}})
ask({"target_name": "cell-target"})
say("comm_msg", {"comm_id": "theirs", "data": {"n": 1}})
say("comm_open", {"comm_id": "nobodys", "target_name": "no-such-target", "data": {}})
ask({})
run(second)
say("comm_close", {"comm_id": "theirs", "data": {}})
run(last)
ask({})
client.stop_channels()
manager.shutdown_kernel(now=True)
print(json.dumps(seen))

"""livy-uploads, unchanged: files and folders go to a session, and values come back. Arguments: the server, a session's name, a folder."""

import os
import sys
from io import BytesIO

from livy_uploads.commands import LivyRunCode, LivyRunShell, LivyUploadBlob, LivyUploadDir, LivyUploadFile
from livy_uploads.endpoint import LivyEndpoint
from livy_uploads.exceptions import LivyStatementError
from livy_uploads.retry_policy import TimeoutRetryPolicy
from livy_uploads.session import LivySession

server, name, folder = sys.argv[1:]
config = {"endpoint": {"url": server}, "session": {"name": name, "kind": "pyspark", "conf": {"spark.ui.enabled": "false"}}}
session = LivySession.from_config(config)
session.wait_ready(TimeoutRetryPolicy(180, 0.5))
# By its name it is found again.
found = next(one for one in LivySession.list(LivyEndpoint(server)) if one.session_name == name)
assert found.session_id == session.session_id

lines, value = session.apply(LivyRunCode("print('printed')\n_ = {'λ': [word, 1, None]}", vars={"word": "🤔"}))
assert (lines[0], value) == ("printed", {"λ": ["🤔", 1, None]}), (lines, value)
_, value = session.apply(LivyRunCode("_ = 'x' * 300000"))
assert value == "x" * 300000
try:
    session.apply(LivyRunCode("1 / 0"))
    raise AssertionError("it must fail")
except LivyStatementError as error:
    assert "ZeroDivisionError" in str(error), error

session.apply(LivyUploadBlob(BytesIO(b"a blob"), "blob λ.bin"))
_, value = session.apply(LivyRunCode("import pyspark\n_ = open(pyspark.SparkFiles.get('blob λ.bin'), 'rb').read()"))
assert value == b"a blob", value

content = os.urandom(300000)
with open(folder + "/large.bin", "wb") as file:
    file.write(content)
progress = []
path = session.apply(LivyUploadFile(folder + "/large.bin", chunk_size=100000, progress_func=progress.append))
assert os.path.basename(path) == "large.bin" and progress == [1 / 3, 2 / 3, 1.0], (path, progress)
_, value = session.apply(LivyRunCode("_ = open(path, 'rb').read()", vars={"path": path}))
assert value == content

os.makedirs(folder + "/tree/below")
with open(folder + "/tree/below/leaf.txt", "w") as file:
    file.write("leaf")
path = session.apply(LivyUploadDir(folder + "/tree", "tree of the session"))
_, out, code = session.apply(LivyRunShell("cd '%s' && cat below/leaf.txt" % path))
assert (out, code) == ("leaf", 0), (out, code)

assert any("Spark" in line for line in next(session.follow()))
session.delete()
session.wait_done(TimeoutRetryPolicy(60, 0.5))
print("livy-uploads is content")

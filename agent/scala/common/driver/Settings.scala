package livius.agent

import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.node.ObjectNode

/** The agent's settings, from the launch document. Unknown keys are ignored, missing keys take the
  * protocol's defaults.
  */
final case class Settings(
    driver: String,
    servers: Seq[String],
    proof: Proof,
    graceSeconds: Int,
    kind: String,
    /** How far the driver starts by itself: one of the names below. */
    start: String,
    sqlMaxRows: Int,
    pythonExecutable: String,
    python3Executable: Option[String],
    rCommand: Option[String],
    /** The most text that one statement may print. Further text is dropped with a note. */
    outputBytes: Int,
    /** The most that may wait for the server's acknowledgement; a statement that adds more has to
      * wait.
      */
    unacknowledgedBytes: Int,
    interruptAfterMs: Int,
    killAfterMs: Int)

object Settings {

  /** To the SparkContext and the session kind's interpreter. */
  val Session = "session"

  /** Also through the kind's lessons. */
  val Warm = "warm"

  /** To a warm JVM without a SparkContext. */
  val Primed = "primed"

  /** The keys that a session may have its own way on a driver that was started ahead of it. */
  private val OfSession = Seq("kind", "start", "sql", "python", "r", "limits", "cancel")

  def from(root: JsonNode): Settings = Settings(
    driver = LaunchDocument.required(root, "driver").asText,
    servers = Javas.list(LaunchDocument.required(root, "servers").elements).map(_.asText),
    proof = LaunchDocument.proof(root),
    graceSeconds = root.path("graceSeconds").asInt(600),
    kind = root.path("kind").asText("spark"),
    start = root.path("start").asText(Session),
    sqlMaxRows = root.path("sql").path("maxRows").asInt(1000),
    pythonExecutable = text(root.path("python").path("executable")).getOrElse("python3"),
    python3Executable = text(root.path("python").path("executable3")),
    rCommand = text(root.path("r").path("command")),
    outputBytes = root.path("limits").path("outputBytes").asInt(64 << 20),
    unacknowledgedBytes = root.path("limits").path("unacknowledgedBytes").asInt(128 << 20),
    interruptAfterMs = root.path("cancel").path("interruptAfterMs").asInt(0),
    killAfterMs = root.path("cancel").path("killAfterMs").asInt(30000))

  /** The launch document with the session's keys in place of its own. */
  def overlaid(launch: JsonNode, session: JsonNode): JsonNode = {
    val made = launch.deepCopy[ObjectNode]()
    made.remove("start")
    OfSession.filter(session.has).foreach(key => made.replace(key, session.path(key)))
    made
  }

  private def text(node: JsonNode): Option[String] =
    if (node.isTextual && !node.asText.isEmpty) Some(node.asText) else None
}

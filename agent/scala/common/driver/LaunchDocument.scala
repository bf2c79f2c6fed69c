package livius.agent

import java.io.File

import com.fasterxml.jackson.databind.JsonNode

/** The JSON that the server passes to a driver: in a file on the server's machine, in an
  * environment variable elsewhere.
  */
object LaunchDocument {

  /** Holds the text itself, secret included: no child process may inherit it. Since 4.3 a
    * standalone cluster's driver is handed only what is named as Spark's own.
    */
  val Variable = "SPARK_LIVIUS_LAUNCH"

  /** The system property that names the file, for a batch: the arguments there belong to the user's
    * main class.
    */
  val Property = "livius.launch"

  def read(file: File): JsonNode = checked(Json.mapper.readTree(file), file.toString)

  /** None if the variable is not set. */
  def inEnvironment(): Option[JsonNode] =
    sys.env.get(Variable).map(text => checked(Json.parse(text), Variable))

  def required(root: JsonNode, key: String): JsonNode = {
    val found = root.path(key)
    if (found.isMissingNode) throw new IllegalArgumentException(s"the launch document has no '$key'")
    found
  }

  /** The driver's name and secret. The secret stays inside, so that it reaches no log. */
  def proof(root: JsonNode): Proof = new Proof(required(root, "driver").asText, required(root, "token").asText)

  private def checked(root: JsonNode, from: String): JsonNode = {
    require(root != null && root.path("v").asInt(1) == 1, s"$from is not a launch document of version 1")
    root
  }
}

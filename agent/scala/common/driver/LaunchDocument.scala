package livius.agent

import java.io.File

import com.fasterxml.jackson.databind.JsonNode

/** The JSON that the server gives a driver on its way: a file beside the server, a variable of the environment elsewhere. */
object LaunchDocument {

  /** Holds the text itself, secret included: no child process may inherit it. Since 4.3 a standalone cluster's driver is
    * handed only what is named as Spark's own.
    */
  val Variable = "SPARK_LIVIUS_LAUNCH"

  /** Names the file, where no argument can: the arguments belong to the user's own main class. */
  val Property = "livius.launch"

  def read(file: File): JsonNode = checked(Json.mapper.readTree(file), file.toString)

  /** None where the variable is not set. */
  def inEnvironment(): Option[JsonNode] =
    sys.env.get(Variable).map(text => checked(Json.parse(text), Variable))

  def required(root: JsonNode, key: String): JsonNode = {
    val found = root.path(key)
    if (found.isMissingNode) throw new IllegalArgumentException(s"the launch document has no '$key'")
    found
  }

  private def checked(root: JsonNode, from: String): JsonNode = {
    require(root != null && root.path("v").asInt(1) == 1, s"$from is not a launch document of version 1")
    root
  }
}

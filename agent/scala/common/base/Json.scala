package livius.agent

import com.fasterxml.jackson.core.{JsonFactory, JsonGenerator}
import com.fasterxml.jackson.databind.{JsonNode, ObjectMapper}
import com.fasterxml.jackson.databind.node.{ArrayNode, JsonNodeFactory, ObjectNode}

/** The one way in which the agent reads and writes JSON. */
object Json {

  /** Keeps each digit of a decimal: `1.50` stays `1.50`. */
  val nodes: JsonNodeFactory = new JsonNodeFactory(true)

  val mapper: ObjectMapper = {
    val made = new ObjectMapper()
    made.setNodeFactory(nodes)
    made.configure(JsonGenerator.Feature.WRITE_BIGDECIMAL_AS_PLAIN, true)
    allowLongTexts(made.getFactory)
    made
  }

  def obj(): ObjectNode = nodes.objectNode()

  def arr(): ArrayNode = nodes.arrayNode()

  def arr(items: Iterable[JsonNode]): ArrayNode = {
    val made = arr()
    items.foreach(item => made.add(item))
    made
  }

  def text(value: String): JsonNode = if (value == null) nodes.nullNode() else nodes.textNode(value)

  /** JSON has no NaN and no infinities: they are written as text, as Spark does. */
  def number(value: Double): JsonNode =
    if (value.isNaN || value.isInfinite) text(value.toString) else nodes.numberNode(value)

  def number(value: Float): JsonNode =
    if (value.isNaN || value.isInfinite) text(value.toString) else nodes.numberNode(value)

  def parse(document: String): JsonNode = mapper.readTree(document)

  def write(node: JsonNode): String = mapper.writeValueAsString(node)

  /** A frame's bytes, with every text well-formed: the server cannot read a lone surrogate, which
    * Scala's strings allow.
    */
  def frame(node: ObjectNode): Array[Byte] = {
    Javas.list(node.fieldNames).foreach { name =>
      val value = node.path(name)
      if (value.isTextual) {
        val cleaned = Texts.wellFormed(value.asText)
        if (cleaned ne value.asText) node.put(name, cleaned)
      }
    }
    mapper.writeValueAsBytes(node)
  }

  // Since 2.15 Jackson refuses texts of more than 20 million characters; a statement's code may be
  // longer. By reflection, because older Sparks ship a Jackson without this limit and method.
  private def allowLongTexts(factory: JsonFactory): Unit =
    try {
      val limits = Class.forName("com.fasterxml.jackson.core.StreamReadConstraints")
      val builder = limits.getMethod("builder").invoke(null)
      builder.getClass.getMethod("maxStringLength", Integer.TYPE).invoke(builder, Int.box(Int.MaxValue))
      val raised = builder.getClass.getMethod("build").invoke(builder)
      classOf[JsonFactory].getMethod("setStreamReadConstraints", limits).invoke(factory, raised): Unit
    } catch {
      case _: ReflectiveOperationException => // an older Jackson
    }
}

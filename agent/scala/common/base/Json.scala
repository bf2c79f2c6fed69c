package livius.agent

import java.io.{IOException, OutputStream}
import java.nio.charset.StandardCharsets.UTF_8

import scala.collection.mutable

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

  /** JSON has no NaN and no infinities: Jackson writes them as text, as Spark does. */
  def number(value: Double): JsonNode = nodes.numberNode(value)

  def number(value: Float): JsonNode = nodes.numberNode(value)

  /** An object of all the fields. If two have one name, the second becomes `name_2`, so that no value
    * is lost.
    */
  def fields(entries: Seq[(String, JsonNode)]): ObjectNode = {
    val made = obj()
    uniqueNames(entries.map(_._1)).zip(entries).foreach { case (name, (_, value)) => made.replace(name, value) }
    made
  }

  private def uniqueNames(names: Seq[String]): Seq[String] = {
    val taken = mutable.Set(names: _*)
    if (taken.size == names.length) names
    else {
      val counts = mutable.Map.empty[String, Int]
      names.map { name =>
        val count = counts.getOrElse(name, 0) + 1
        val free = if (count == 1) count else Iterator.from(count).find(next => taken.add(s"${name}_$next")).get
        counts(name) = free
        if (count == 1) name else s"${name}_$free"
      }
    }
  }

  def parse(document: String): JsonNode = mapper.readTree(document)

  def write(node: JsonNode): String = mapper.writeValueAsString(node)

  /** Whether it takes at most that many bytes. */
  def fits(node: JsonNode, most: Long): Boolean = {
    val counter = new Counter(most)
    try { mapper.writeValue(counter, node); true } catch { case _: IOException if counter.isFull => false }
  }

  private final class Counter(most: Long) extends OutputStream {
    private var count = 0L
    def isFull: Boolean = count > most
    override def write(byte: Int): Unit = write(Array(byte.toByte), 0, 1)
    override def write(bytes: Array[Byte], from: Int, length: Int): Unit = {
      count += length
      if (isFull) throw new IOException("too long")
    }
  }

  /** A frame's bytes, with every text in it well-formed: the server cannot read a lone surrogate,
    * which Scala's strings allow.
    */
  def frame(node: ObjectNode): Array[Byte] = Texts.wellFormed(write(node)).getBytes(UTF_8)

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

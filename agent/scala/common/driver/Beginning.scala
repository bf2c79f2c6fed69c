package livius.agent

import java.util.concurrent.atomic.AtomicReference
import java.util.concurrent.CountDownLatch

import com.fasterxml.jackson.databind.JsonNode

/** The server's word that a driver that was started ahead has a session now.
  *
  * @param document keys in place of those of the launch document
  * @param conf     Spark's configuration, or the part of it that the driver does not have yet
  */
final case class BeginOrder(document: JsonNode, conf: Map[String, String])

object BeginOrder {

  def of(frame: JsonNode): BeginOrder = {
    val conf = frame.path("conf")
    BeginOrder(frame.path("document"), Javas.list(conf.fieldNames).map(key => key -> conf.path(key).asText).toMap)
  }
}

/** The order that a primed driver waits for. Only the first one counts: commands may arrive twice. */
final class Beginning {

  private val order = new AtomicReference(Option.empty[BeginOrder])
  private val arrived = new CountDownLatch(1)

  def take(first: BeginOrder): Unit = {
    order.compareAndSet(None, Some(first))
    arrived.countDown()
  }

  def hasOrder: Boolean = order.get.nonEmpty

  def await(): BeginOrder = {
    arrived.await()
    order.get.get
  }
}

package livius.agent

import java.util.TreeMap

import com.fasterxml.jackson.databind.node.ObjectNode

/** The events that the server has not acknowledged yet, in order.
  *
  * It is the only buffer between the statements and the network. When it is full, `add` waits. So
  * the server slows down a statement that prints without end, and the statement does not fill the
  * driver's memory.
  */
final class Outbox(capacity: Int) {

  private val events = new TreeMap[Long, Array[Byte]]()
  private var lastSeq = 0L
  private var held = 0L

  /** Numbers the event, keeps it, and returns the number. Waits for room first. */
  def add(event: ObjectNode): Long = synchronized {
    while (held >= capacity) wait()
    keep(event)
  }

  /** As `add` without waiting: for small events, and for the last events of a driver that ends
    * anyway.
    */
  def addNow(event: ObjectNode): Long = synchronized(keep(event))

  /** Drops all events up to and including `seq`. */
  def acknowledge(seq: Long): Unit = synchronized {
    val known = events.headMap(seq, true)
    known.values.forEach(bytes => held -= bytes.length)
    known.clear()
    notifyAll()
  }

  /** Tells whether the event of that number is still unacknowledged. */
  def holds(seq: Long): Boolean = synchronized(events.containsKey(seq))

  /** The first event after `seq`, if there is one. */
  def after(seq: Long): Option[(Long, Array[Byte])] = synchronized {
    Option(events.higherEntry(seq)).map(entry => (entry.getKey, entry.getValue))
  }

  /** The first and last number kept. Without events the first is one more than the last. */
  def range: (Long, Long) = synchronized {
    (if (events.isEmpty) lastSeq + 1 else events.firstKey, lastSeq)
  }

  /** Waits until the server has acknowledged everything, at most for that time. */
  def awaitEmpty(millis: Long): Unit = synchronized {
    val deadline = System.nanoTime + millis * 1000000
    while (!events.isEmpty && System.nanoTime < deadline) wait(50)
  }

  // The number is taken last: if memory runs out in between, no number may be missing in the
  // sequence.
  private def keep(event: ObjectNode): Long = {
    val seq = lastSeq + 1
    event.put("seq", seq)
    val bytes = Json.frame(event)
    events.put(seq, bytes)
    held += bytes.length
    lastSeq = seq
    seq
  }
}

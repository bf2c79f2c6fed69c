package livius.agent

/** Conversions from Java's collections. Scala's own converters have a different name in each Scala
  * version.
  */
object Javas {

  def list[A](iterator: java.util.Iterator[A]): List[A] = {
    val items = List.newBuilder[A]
    while (iterator.hasNext) items += iterator.next()
    items.result()
  }

  def list[A](items: java.lang.Iterable[A]): List[A] = list(items.iterator)
}

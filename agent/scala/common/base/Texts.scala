package livius.agent

/** Repairs texts that leave this JVM. */
object Texts {

  /** The text with every lone surrogate replaced. The same object if there is none. */
  def wellFormed(text: String): String =
    if (text.indices.forall(at => isWhole(text, at))) text
    else {
      val made = new java.lang.StringBuilder(text)
      text.indices.filterNot(at => isWhole(text, at)).foreach(at => made.setCharAt(at, Replacement))
      made.toString
    }

  private def isWhole(text: String, at: Int): Boolean = {
    val unit = text.charAt(at)
    if (Character.isHighSurrogate(unit)) at + 1 < text.length && Character.isLowSurrogate(text.charAt(at + 1))
    else !Character.isLowSurrogate(unit) || (at > 0 && Character.isHighSurrogate(text.charAt(at - 1)))
  }

  private val Replacement = '\ufffd'
}

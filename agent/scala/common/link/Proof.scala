package livius.agent

import java.nio.charset.StandardCharsets.{US_ASCII, UTF_8}
import java.security.{MessageDigest, SecureRandom}

import javax.crypto.Mac
import javax.crypto.spec.SecretKeySpec

/** Computes the proofs of docs/design/agent-protocol.md from the driver's secret, which itself is
  * never sent.
  */
final class Proof(val driver: String, token: String) {

  import Proof._

  // The server's store has this hash, and not the secret.
  private val key = new SecretKeySpec(digest(token.getBytes(UTF_8)).getBytes(US_ASCII), Algorithm)

  def ofRequest(nonce: String, purpose: String, challenge: String, body: Array[Byte]): String =
    mac(Seq("livius request", driver, nonce, purpose, challenge, digest(body)))

  def ofResponse(nonce: String, purpose: String, status: Int, challenge: String): String =
    mac(Seq("livius response", driver, nonce, purpose, status.toString, challenge))

  private def mac(lines: Seq[String]): String = {
    val made = Mac.getInstance(Algorithm)
    made.init(key)
    hex(made.doFinal(lines.mkString("\n").getBytes(UTF_8)))
  }
}

object Proof {
  private val Algorithm = "HmacSHA256"
  private val NonceBytes = 16
  private val random = new SecureRandom()

  def nonce(): String = {
    val bytes = new Array[Byte](NonceBytes)
    random.nextBytes(bytes)
    hex(bytes)
  }

  /** Takes the same time wherever the difference is. */
  def isEqual(one: String, other: String): Boolean = MessageDigest.isEqual(one.getBytes(UTF_8), other.getBytes(UTF_8))

  private def digest(bytes: Array[Byte]): String = hex(MessageDigest.getInstance("SHA-256").digest(bytes))

  private def hex(bytes: Array[Byte]): String = bytes.map(byte => f"${byte & 0xff}%02x").mkString
}

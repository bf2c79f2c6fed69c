package livius.agent

import java.util.{Calendar, GregorianCalendar}

/** `java.sql.Date` and `Timestamp` as texts. Their own texts have four digits for the year and no
  * sign, so that a year before 1 or after 9999 looks like another one.
  */
object OldTimes {

  def text(date: java.sql.Date): String = {
    val calendar = new GregorianCalendar
    calendar.setTime(date)
    val year = if (calendar.get(Calendar.ERA) == GregorianCalendar.BC) 1 - calendar.get(Calendar.YEAR) else calendar.get(Calendar.YEAR)
    val sign = if (year > 9999) "+" else if (year < 0) "-" else ""
    s"$sign${digits(math.abs(year), 4)}-${digits(calendar.get(Calendar.MONTH) + 1, 2)}-${digits(calendar.get(Calendar.DAY_OF_MONTH), 2)}"
  }

  def text(time: java.sql.Timestamp): String =
    s"${text(new java.sql.Date(time.getTime))}${time.toString.dropWhile(_ != ' ')}"

  private def digits(number: Int, least: Int): String = "0" * (least - number.toString.length) + number
}

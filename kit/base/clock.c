// SPDX-License-Identifier: Apache-2.0
/* The two clocks, and RFC 3339 text. Calendar: proleptic Gregorian, no leap seconds
 * (POSIX). */
#include "kit/base/clock.h"

#include <time.h>

enum { DAY_S = 86400, YEAR_DAYS = 365, ERA_DAYS = 146097, ERA_YEARS = 400 };
static const int64_t us_per_s = 1000000;

static int64_t clock_us(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * us_per_s + ts.tv_nsec / 1000;
}

int64_t clock_mono_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
    return clock_us(CLOCK_REALTIME);
}

struct date {
    int64_t year;
    unsigned month, day;
};

/* Days since 1970-01-01. Years are counted from March, so that the leap day is the last.
 */
static int64_t days_from_date(struct date d)
{
    int64_t year = d.year - (d.month <= 2);
    int64_t era = (year >= 0 ? year : year - (ERA_YEARS - 1)) / ERA_YEARS;
    int64_t of_era = year - era * ERA_YEARS;
    int64_t of_year = (153 * ((d.month + 9) % 12) + 2) / 5 + d.day - 1;

    return era * ERA_DAYS + of_era * YEAR_DAYS + of_era / 4 - of_era / 100 + of_year -
           719468;
}

static struct date date_from_days(int64_t days)
{
    int64_t shifted = days + 719468;
    int64_t era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS;
    int64_t of_era = shifted - era * ERA_DAYS;
    int64_t year =
        (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / YEAR_DAYS;
    int64_t of_year = of_era - (YEAR_DAYS * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153; /* from March */
    int64_t day = of_year - (153 * month + 2) / 5 + 1;
    unsigned m = (unsigned)(month < 10 ? month + 3 : month - 9);

    return (struct date){year + era * ERA_YEARS + (m <= 2), m, (unsigned)day};
}

/* Two digits and what stands behind them. */
static char *put_two(char *p, unsigned v, char behind)
{
    memcpy(p, str_two_digits[v], 2);
    p[2] = behind;
    return p + 3;
}

static const int64_t wall_min = -62167219200 * 1000000;     /* 0000-01-01T00:00:00Z */
static const int64_t wall_max = 253402300800 * 1000000 - 1; /* the last of 9999 */

void clock_format_rfc3339(int64_t wall_us, char *out)
{
    int64_t us = wall_us < wall_min ? wall_min : wall_us > wall_max ? wall_max : wall_us;
    int64_t of_day = us % (DAY_S * us_per_s);
    int64_t days = us / (DAY_S * us_per_s);
    struct date d;
    unsigned s, fraction;

    if (of_day < 0) {
        of_day += DAY_S * us_per_s;
        days--;
    }
    d = date_from_days(days);
    s = (unsigned)(of_day / us_per_s);
    fraction = (unsigned)(of_day % us_per_s);
    put_two(out, (unsigned)(d.year / 100), 0);
    out = put_two(out + 2, (unsigned)(d.year % 100), '-');
    out = put_two(out, d.month, '-');
    out = put_two(out, d.day, 'T');
    out = put_two(out, s / 3600, ':');
    out = put_two(out, s / 60 % 60, ':');
    out = put_two(out, s % 60, '.');
    put_two(out, fraction / 10000, 0);
    put_two(out + 2, fraction / 100 % 100, 0);
    put_two(out + 4, fraction % 100, 'Z');
}

/* Exactly `digits` digits within [min, max], then cut off. */
static bool take_number(struct str *s, size_t digits, int64_t min, int64_t max,
                        int64_t *out)
{
    if (s->n < digits || s->p[0] == '-')
        return false;
    if (!str_to_i64((struct str){s->p, digits}, min, max, out))
        return false;
    *s = (struct str){s->p + digits, s->n - digits};
    return true;
}

static bool take_byte(struct str *s, char upper)
{
    char lower = upper == 'T' || upper == 'Z' ? (char)(upper | 0x20) : upper;

    if (s->n == 0 || (s->p[0] != upper && s->p[0] != lower))
        return false;
    *s = (struct str){s->p + 1, s->n - 1};
    return true;
}

static int month_days(int64_t year, int64_t month)
{
    static const signed char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool take_date(struct str *s, int64_t *days)
{
    int64_t year, month, day;

    if (!take_number(s, 4, 0, 9999, &year) || !take_byte(s, '-') ||
        !take_number(s, 2, 1, 12, &month) || !take_byte(s, '-') ||
        !take_number(s, 2, 1, month_days(year, month), &day))
        return false;
    *days = days_from_date((struct date){year, (unsigned)month, (unsigned)day});
    return true;
}

/* Digits beyond the sixth are read and dropped. */
static bool take_fraction(struct str *s, int64_t *us)
{
    int64_t weight = us_per_s / 10;
    size_t n = 0;

    *us = 0;
    if (!take_byte(s, '.'))
        return true;
    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++, weight /= 10)
        *us += (s->p[n] - '0') * weight;
    *s = (struct str){s->p + n, s->n - n};
    return n > 0;
}

/* A leap second (:60) is read as the first second of the next minute. */
static bool take_time(struct str *s, int64_t *us)
{
    int64_t h, m, sec, fraction;

    if (!take_number(s, 2, 0, 23, &h) || !take_byte(s, ':') ||
        !take_number(s, 2, 0, 59, &m) || !take_byte(s, ':') ||
        !take_number(s, 2, 0, 60, &sec) || !take_fraction(s, &fraction))
        return false;
    *us = (h * 3600 + m * 60 + sec) * us_per_s + fraction;
    return true;
}

static bool take_offset(struct str *s, int64_t *us)
{
    bool east, west;
    int64_t h, m;

    *us = 0;
    if (take_byte(s, 'Z'))
        return true;
    east = take_byte(s, '+');
    west = !east && take_byte(s, '-');
    if (!(east || west) || !take_number(s, 2, 0, 23, &h) || !take_byte(s, ':') ||
        !take_number(s, 2, 0, 59, &m))
        return false;
    *us = (h * 3600 + m * 60) * us_per_s * (west ? -1 : 1);
    return true;
}

bool clock_parse_rfc3339(struct str s, int64_t *wall_us)
{
    int64_t days, of_day, offset, us;

    if (!take_date(&s, &days) || !take_byte(&s, 'T') || !take_time(&s, &of_day) ||
        !take_offset(&s, &offset) || s.n != 0)
        return false;
    us = days * DAY_S * us_per_s + of_day - offset;
    if (us < wall_min || us > wall_max)
        return false;
    *wall_us = us;
    return true;
}
